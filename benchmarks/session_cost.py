"""The overhead of a session per frame. The model and the source cost nothing, so everything measured is the session.

python benchmarks/session_cost.py [--seconds 5] [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np

from dlclive_core import EndOfStream, Frame, FrameSource, MemorySink, Processor, Rig, Session
from dlclive_core.machine.system import system_info
from dlclive_core.testing import NullModel

FPS = 1000


class Still(Processor):
    """A processor that does nothing."""

    def process(self, pose, frame):
        return pose


class Camera(FrameSource):
    """The same image a thousand times a second."""

    is_live = True

    def __init__(self, frames: int) -> None:
        self.name, self.fps, self.frame_size, self.frame_count = "null", float(FPS), (640, 480), frames
        self._image = np.zeros((480, 640, 3), np.uint8)
        self._next = 0
        self._due = 0.0

    def read(self, timeout: float) -> Frame:
        if self._next == self.frame_count:
            raise EndOfStream
        self._due = max(self._due + 1 / FPS, time.perf_counter() - 0.01) if self._next else time.perf_counter()
        wait = self._due - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        self._next += 1
        return Frame(self._image, self._next - 1, time.perf_counter(), source=self.name)


def bare(frames: int) -> list[float]:
    """The same calls without a session: the seconds from each frame's capture to the processed pose."""
    source, model, processor, poses, took = Camera(frames), NullModel(), Still(), [], []
    for _ in range(frames):
        frame = source.read(0.1)
        pose = processor.process(model.predict(frame.image), frame)
        took.append(time.perf_counter() - frame.captured_at)
        poses.append(pose)
    return took


def session(frames: int, sources: int = 1) -> tuple[list[float], list[float], int]:
    """The same with sessions, the time the loop spends besides the model, and the number of dropped frames."""
    model, sinks = NullModel(), [MemorySink() for _ in range(sources)]
    sessions = [Session(source=Camera(frames), model=model, processors=[Still()], sinks=[sink]) for sink in sinks]
    reports = Rig(sessions).run()
    stages = [sum(report.stage(name).p50_ms for name in ("region", "processors", "sinks")) for report in reports]
    return [second for sink in sinks for second in sink.latencies], stages, sum(report.dropped for report in reports)


def row(label: str, seconds: list[float], own: str, dropped: object) -> str:
    p50, p95, p99, top = 1e3 * np.array([*np.percentile(seconds, (50, 95, 99)), max(seconds)])
    return f"| {label} | {p50:.4f} | {p95:.4f} | {p99:.3f} | {top:.2f} | {own} | {dropped} |"


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    frames, info = int(options.seconds * FPS), system_info()
    print(f"{info['processor']}, {info['cpus']} CPUs, load {os.getloadavg()[0]:.1f}, Python {info['python']};", end=" ")
    print(f"{frames} frames of 640 x 480 at {FPS} frames/s in each row\n")
    print("From a frame's capture to its processed pose, ms; own: region + processors + sinks at the median, ms.\n")
    print("| | p50 | p95 | p99 | max | own | dropped |\n|---|---|---|---|---|---|---|")
    for number in range(options.rounds):
        print(row(f"bare calls, {number + 1}", bare(frames), "", ""), flush=True)
        for sources in (1, 2):
            seconds, own, dropped = session(frames, sources)
            print(
                row(f"session, {sources} source{'s'[: sources - 1]}, {number + 1}", seconds, f"{max(own):.4f}", dropped)
            )


if __name__ == "__main__":
    main()
