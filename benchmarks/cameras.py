"""Camera sources: what they count, how fast they notice outages and recover, and the cost of a frame.

    python benchmarks/cameras.py [--rounds 10]

Needs dlclive-cameras[basler,genicam], but no camera: it uses pylon's emulator, the GenTL producer in genicam's wheel, and a stream
from another process that is killed with SIGKILL and restarted a second later.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import genicam
import psutil
from dlclive_cameras import BaslerCamera, GenICamCamera, OpenCVCamera
from dlclive_cameras.pylon_library import pylon

from dlclive_core import Frame, FrameSource

PRODUCER = Path(genicam.__file__).parent / "viky.cti"
SERVER = Path(__file__).parent.parent / "plugins" / "dlclive-cameras" / "tests" / "stream_server.py"


def read(camera: FrameSource) -> Frame:
    while True:
        try:
            return camera.read(0.1)
        except TimeoutError:
            continue


def node(camera: Any, name: str) -> Any:
    return camera._connection.camera.GetNodeMap().GetNode(name)


def failed(rounds: int) -> str:
    """Failed buffers, forced and counted."""
    counted = []
    with BaslerCamera(frame_rate=50, region=(0, 0, 320, 240)) as camera:
        camera.open()
        frames = [read(camera)]
        for _ in range(rounds):
            before = camera.corrupt
            node(camera, "ForceFailedBufferCount").SetValue(3)
            node(camera, "ForceFailedBuffer").Execute()
            until = time.perf_counter() + 1.0
            while time.perf_counter() < until:
                frames.append(read(camera))
            counted.append(camera.corrupt - before)
        complete = frames[-1].index + 1 == len(frames) + camera.corrupt + camera.skipped + camera.lost
    exact = counted.count(3)
    return (
        f"{3 * rounds} forced, {sum(counted)} counted; 3 in {exact} of {rounds} rounds; all frame numbers accounted for: "
        f"{complete}"
    )


def skipped(rounds: int) -> str:
    """A reader at 10 Hz, a camera at 90 Hz: pylon's count of skipped images against the camera's frame numbers."""
    with BaslerCamera(frame_rate=90, region=(0, 0, 320, 240)) as camera:
        camera.open()
        frames = []
        for _ in range(10 * rounds):
            frames.append(read(camera))
            time.sleep(0.1)
    gaps = frames[-1].index + 1 - len(frames)
    return f"{len(frames)} frames read, {camera.skipped} skipped by pylon, {gaps} missing in the camera's numbers"


@contextmanager
def stream() -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes: list[subprocess.Popen[str]] = []

    def start() -> None:
        command = [sys.executable, str(SERVER), str(port), "mpjpeg", "50", "0"]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        assert processes[-1].stdout is not None
        processes[-1].stdout.readline()

    def kill() -> None:
        processes[-1].stdout.close()  # type: ignore[union-attr]
        processes[-1].kill()
        processes[-1].wait()

    start()
    yield f"http://127.0.0.1:{port}/live", kill, start
    kill()


def outages(camera: Any, rounds: int, end: Callable[[], None], again: Callable[[], None] | None) -> str:
    """The delay until an outage is noticed, the recovery time, the frames counted over the gap, and leaked resources."""
    delays, recoveries, gaps, overruns = [], [], [], []
    process = psutil.Process()
    with camera:
        camera.open()
        for number in range(rounds):
            before = [read(camera) for _ in range(25)][-1]
            began = time.perf_counter()
            end()
            while not camera.trouble:
                try:
                    before = camera.read(0.1)
                except TimeoutError:
                    continue
            delays.append(time.perf_counter() - began)
            if again is not None:
                until = began + 1.0
                while time.perf_counter() < until:
                    called = time.perf_counter()
                    try:
                        camera.read(0.1)
                    except TimeoutError:
                        overruns.append(time.perf_counter() - called - 0.1)
                began = time.perf_counter()
                again()
            after = read(camera)
            recoveries.append(time.perf_counter() - began)
            gaps.append((after.index - before.index) / (after.captured_at - before.captured_at))
            if number == 0:
                start = process.num_threads(), process.num_fds(), process.memory_info().rss
        grown = process.num_threads() - start[0], process.num_fds() - start[1], process.memory_info().rss - start[2]
    worst = f", read late by {1000 * max(overruns):.0f} ms at most" if overruns else ""
    return (
        f"noticed after {1000 * max(delays):.0f} ms at most; recovered after {statistics.median(recoveries):.2f} s "
        f"(at most {max(recoveries):.2f} s){worst}; {min(gaps):.0f} to {max(gaps):.0f} frames/s counted over the gap; "
        f"{grown[0]:+d} threads, {grown[1]:+d} descriptors, {grown[2] / 1e6:+.1f} MB"
    )


def cost(rounds: int) -> str:
    """The time of `read` compared with pylon's bare calls, for frames that are ready."""
    with BaslerCamera(trigger="Software", region=(0, 0, 640, 480)) as camera:
        camera.open()
        bare, read_times = [], []
        for _ in range(100 * rounds):
            driver = camera._connection.camera  # type: ignore[union-attr]
            for times in (bare, read_times):
                driver.WaitForFrameTriggerReady(1000, pylon.TimeoutHandling_ThrowException)
                driver.ExecuteSoftwareTrigger()
                while not driver.GetGrabResultWaitObject().Wait(1000):
                    pass
                began = time.perf_counter()
                if times is read_times:
                    camera.read(1.0)
                else:
                    result = driver.RetrieveResult(1000, pylon.TimeoutHandling_Return)
                    result.GetArray()
                    result.Release()
                times.append(time.perf_counter() - began)
    medians = [1e6 * statistics.median(times) for times in (bare, read_times)]
    return f"640 x 480 grey: RetrieveResult and GetArray {medians[0]:.0f} us, read {medians[1]:.0f} us at the median"


def lock_waits() -> str:
    """How long another thread waits for the GIL while a GenICam camera at 100 frames/s is read."""
    waits: list[float] = []
    ended = threading.Event()

    def tick() -> None:
        last = time.perf_counter()
        while not ended.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            waits.append(now - last)
            last = now

    with GenICamCamera("1", producer=PRODUCER, frame_rate=100, pixel_format="Mono8") as camera:
        camera.open()
        thread = threading.Thread(target=tick)
        thread.start()
        for _ in range(300):
            read(camera)
        ended.set()
        thread.join()
    ordered = sorted(waits)
    return f"a thread that sleeps 1 ms wakes after {1000 * statistics.median(ordered):.2f} ms (p99 {1000 * ordered[int(0.99 * len(ordered))]:.2f} ms)"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    os.environ["PYLON_CAMEMU"] = "2"
    print("failed buffers:", failed(rounds))
    print("skipped images:", skipped(rounds))
    basler = BaslerCamera(frame_rate=50, region=(0, 0, 320, 240))
    print("Basler, device destroyed:", outages(basler, rounds, lambda: basler._connection.camera.DestroyDevice(), None))  # type: ignore[union-attr]
    gentl = GenICamCamera("1", producer=PRODUCER, frame_rate=50)
    end = lambda: gentl._connection.acquirer.device.module.close()  # type: ignore[union-attr]  # noqa: E731
    print("GenICam, device closed:", outages(gentl, rounds, end, None))
    silent = GenICamCamera("1", producer=PRODUCER, frame_rate=50, silence=0.2)
    end = lambda: silent._connection.acquirer.remote_device.node_map.AcquisitionStop.execute()  # type: ignore[union-attr]  # noqa: E731
    print("GenICam, silent for 0.2 s:", outages(silent, rounds, end, None))
    with stream() as (url, kill, start):
        print("stream, sender killed, back 1 s later:", outages(OpenCVCamera(url), rounds, kill, start))
    print("cost of a frame:", cost(rounds))
    print("GenICam and other threads:", lock_waits())


if __name__ == "__main__":
    main()
