"""Live sessions in a process of their own, for the tests to stop and to let hang: `python session_host.py WHAT FOLDER`.

WHAT: files (a recording with tables and video), slow (a sink that takes a second for each pose), hang (a processor that hangs),
clock (an hour goes by on the wall), disk (files cannot grow beyond 1 MB). It says "armed" at the first frame.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

from dlclive_io import PoseTable, TimestampTable, VideoRecording

from dlclive_core import Frame, MemorySink, Pose, Processor, Session
from dlclive_core.cli.signals import StopOnSignal
from dlclive_core.testing import NullModel
from tools.faults.live import Camera


class Armed(Camera):
    def read(self, timeout: float) -> Frame:
        frame = super().read(timeout)
        if frame.index == 0:
            print("armed", flush=True)
        return frame


class Slow(MemorySink):
    def write(self, estimate) -> None:
        time.sleep(1.0)


class Written(MemorySink):
    """Notes when it wrote what."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[float] = []

    def write(self, estimate) -> None:
        time.sleep(0.05)
        self.at.append(time.perf_counter())


class Hanging(Processor):
    began = 0.0

    def process(self, pose: Pose, frame: Frame) -> Pose:
        if not self.began and frame.index >= 50:
            self.began = time.perf_counter()
            time.sleep(10)
        return pose


def files(folder: Path) -> list:
    return [
        PoseTable(folder / "poses.h5"),
        PoseTable(folder / "poses.csv"),
        TimestampTable(folder / "times.csv"),
        VideoRecording(folder / "video.mkv"),
    ]


def run_until_stopped(folder: Path, sinks: list) -> int:
    with StopOnSignal() as signals:
        session = Session(source=Armed(frames=10**6, interval=0.01), model=NullModel(), sinks=sinks)
        with signals.stops(session):
            report = session.run()
    (folder / "report.json").write_text(json.dumps(report.to_dict()))
    return signals.exit_code


def hang() -> None:
    hanging, sink = Hanging(), Written()
    session = Session(
        source=Armed(frames=1100, interval=0.01),
        model=NullModel(),
        processors=[hanging],
        sinks=[sink],
        queue_size=100,
        deadline=0.5,
    )
    report = session.run()
    clock = report.events[0].at if report.events else 0.0
    event = next(event for event in report.events if event.kind == "hanging")
    began = hanging.began - session._running.events.started if session._running else 0.0
    written = sum(0.5 < moment - hanging.began < 10 for moment in sink.at)
    print(
        json.dumps(
            {"event_after": event.at - began - session.deadline, "text": event.text, "written": written, "first": clock}
        )
    )


def clock(folder: Path) -> None:
    """The wall clock as the session sees it, and the times that it wrote."""
    sink = MemorySink()
    source = Camera(frames=200, interval=0.01)
    walls = []

    class Look(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            walls.append(time.time())
            if len(walls) == 50:
                ctypes.CDLL(None).jump(int(os.environ["WALL_STEP"]))  # of the library that is loaded before all others
            return pose

    times = TimestampTable(folder / "times.csv")
    report = Session(source=source, model=NullModel(), processors=[Look()], sinks=[sink, times]).run()
    steps = [after - before for before, after in pairwise(walls)]
    print(
        json.dumps(
            {
                "wall_step": max(steps, key=abs),
                "started_at": report.started_at.isoformat(),
                "duration": report.duration,
                "latency_max": max(sink.latencies),
                "latency_min": min(sink.latencies),
                "longest": report.stage("wait").max_ms,
                "written": report.sinks[1].written,
                "stalls": report.longest_stall,
            }
        )
    )


def disk(folder: Path) -> None:
    """A limit on the size of files stands for a full disk: it needs no rights and no file system of its own."""
    import resource

    memory = MemorySink()
    sinks = [PoseTable(folder / "poses.h5"), PoseTable(folder / "poses.csv"), memory]
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    report = Session(source=Camera(frames=3000, interval=0.002), model=NullModel(60), sinks=sinks, queue_size=64).run()
    events = [(event.at, event.text) for event in report.events if event.kind == "detached"]
    print(
        json.dumps(
            {
                "events": events,
                "written": [sink.written for sink in report.sinks],
                "processed": report.processed,
                "last": memory.indices[-1],
            }
        )
    )


def main() -> int:
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "files":
        return run_until_stopped(folder, files(folder))
    if what == "slow":
        return run_until_stopped(folder, [Slow(), *files(folder)])
    if what == "hang":
        hang()
    if what == "disk":
        disk(folder)
    if what == "clock":
        clock(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
