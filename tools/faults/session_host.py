"""Live sessions in their own process, to be stopped by the tests or to hang: `python session_host.py SCENARIO FOLDER`.

SCENARIO: files (a recording with tables and video), slow (a sink that takes a second per pose), hang (a processor that hangs),
clock (the wall clock jumps by an hour), disk (files cannot grow beyond 1 MB). It prints "armed" at the first frame.
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

from dlclive_core import Frame, MemorySink, Pose, Processor, RunInfo, Session
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
    """Records the time of each write."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[float] = []

    def write(self, estimate) -> None:
        time.sleep(0.05)
        self.at.append(time.perf_counter())


class Hanging(Processor):
    began = started_clock = 0.0

    def open(self, run: RunInfo) -> None:
        self.started_clock = run.started_clock

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
    began = hanging.began - hanging.started_clock
    written = sum(0.5 < moment - hanging.began < 10 for moment in sink.at)
    print(
        json.dumps(
            {"event_after": event.at - began - session.deadline, "text": event.text, "written": written, "first": clock}
        )
    )


def clock(folder: Path) -> None:
    """Print the jump of the wall clock, and the times that the session measured and wrote."""
    sink = MemorySink()
    source = Camera(frames=200, interval=0.01)
    walls = []

    class Look(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            walls.append(time.time())
            if len(walls) == 50:
                ctypes.CDLL(None).jump(int(os.environ["WALL_STEP"]))  # from the preloaded library
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
    """A full disk, simulated by a limit on the file size, which needs neither privileges nor a separate file system."""
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
    scenario, folder = sys.argv[1], Path(sys.argv[2])
    if scenario == "files":
        return run_until_stopped(folder, files(folder))
    if scenario == "slow":
        return run_until_stopped(folder, [Slow(), *files(folder)])
    if scenario == "hang":
        hang()
    if scenario == "disk":
        disk(folder)
    if scenario == "clock":
        clock(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
