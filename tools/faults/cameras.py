"""Cameras that fail, with pylon's emulator. Skipped if pypylon or dlclive-cameras is not installed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib.util import find_spec

from dlclive_core import Frame, MemorySink, Session
from dlclive_core.testing import NullModel
from tools.faults.row import Row


def _read(camera) -> Frame:
    while True:
        try:
            return camera.read(0.1)
        except TimeoutError:
            continue


def _with_pylon(measure: Callable[[int], Row]) -> Callable[[int], Row]:
    def measure_if_installed(runs: int) -> Row:
        if find_spec("pypylon") is None or find_spec("dlclive_cameras") is None:
            return Row(measure.__name__, "", "", "not tried: needs dlclive-cameras[basler]", 0, True)
        os.environ.setdefault("PYLON_CAMEMU", "1")
        return measure(runs)

    return measure_if_installed


@_with_pylon
def failed_buffers(runs: int) -> Row:
    """Buffers that fail, three at a time."""
    from dlclive_cameras import BaslerCamera

    counted = []
    with BaslerCamera(frame_rate=50, region=(0, 0, 320, 240)) as camera:
        camera.open()
        frames = [_read(camera)]
        nodes = camera._connection.camera.GetNodeMap()
        for _ in range(runs):
            before = camera.corrupt
            nodes.GetNode("ForceFailedBufferCount").SetValue(3)
            nodes.GetNode("ForceFailedBuffer").Execute()
            deadline = time.perf_counter() + 10.0
            while camera.corrupt < before + 3 and time.perf_counter() < deadline:
                frames.append(_read(camera))
            frames += [_read(camera) for _ in range(25)]  # a fourth failed buffer would be among them
            counted.append(camera.corrupt - before)
        complete = frames[-1].index + 1 == len(frames) + camera.corrupt + camera.skipped + camera.lost
    measured = f"{sum(counted)} of {3 * runs} counted, none delivered, all frame numbers accounted for: {complete}"
    return Row(
        "failed buffers of a Basler camera",
        "pylon's ForceFailedBuffer, 3 at a time",
        "exactly 3 counted",
        measured,
        runs,
        set(counted) == {3} and complete,
    )


@_with_pylon
def unplugged(runs: int) -> Row:
    """The device is destroyed during a session; the session resumes when the device is back."""
    import threading

    from dlclive_cameras import BaslerCamera

    delays, gaps, reconnected = [], [], True
    camera = BaslerCamera(frame_rate=50, region=(0, 0, 320, 240))
    sink = MemorySink()
    session = Session(source=camera, model=NullModel(), sinks=[sink])
    thread = threading.Thread(target=session.run)
    thread.start()
    for _ in range(runs):
        goal = session.processed + 25
        while session.processed < goal:
            time.sleep(0.01)
        reconnects = camera.reconnects
        began = time.perf_counter()
        camera._connection.camera.DestroyDevice()
        while not camera.trouble and session.state != "stale":
            time.sleep(0.001)
        delays.append(time.perf_counter() - began)
        while camera.reconnects == reconnects and time.perf_counter() - began < 20:
            time.sleep(0.01)
        reconnected &= camera.reconnects == reconnects + 1
    session.stop()
    thread.join()
    report = session.report
    assert report is not None
    gaps = [later - earlier - 1 for earlier, later in zip(sink.indices, sink.indices[1:], strict=False)]
    counted = sum(gaps) + sink.indices[0] <= report.dropped + report.lost + report.skipped + report.corrupt
    measured = f"noticed after {1e3 * max(delays):.0f} ms at most; reconnected {report.reconnects} times; "
    measured += f"{report.lost} frames counted as lost; events: {len(report.events)}"
    return Row(
        "camera unplugged during a session",
        "pylon's DestroyDevice",
        "event <= 1 s; reconnects; gap counted",
        measured,
        runs,
        reconnected and counted,
        max(delays) <= 1,
    )


@_with_pylon
def slow_reader(runs: int) -> Row:
    """A camera at 90 Hz and a reader at 10 Hz: pylon's counts against the frame numbers."""
    from dlclive_cameras import BaslerCamera

    with BaslerCamera(frame_rate=90, region=(0, 0, 320, 240)) as camera:
        camera.open()
        frames = []
        for _ in range(10 * runs):
            frames.append(_read(camera))
            time.sleep(0.1)
        gaps = frames[-1].index + 1 - len(frames)
        counts = camera.skipped, camera.lost + camera.corrupt
    measured = f"{len(frames)} read, {gaps} frame numbers missing, counted: {counts[0]} skipped, {counts[1]} lost"
    return Row(
        "reader at 10 Hz, Basler camera at 90 Hz",
        "sleeping between reads",
        "all frames accounted for",
        measured,
        10 * runs,
        gaps == sum(counts) and gaps > 0,
    )
