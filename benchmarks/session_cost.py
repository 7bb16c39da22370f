"""What a session adds to each frame, with a model and a source that cost nothing: everything else is the session.

python benchmarks/session_cost.py
"""

from __future__ import annotations

import time

import numpy as np

from dlclive_core import EndOfStream, Frame, FrameSource, MemorySink, Session
from dlclive_core.system import system_info
from dlclive_core.testing import NullModel

FRAMES, ROUNDS = 5000, 5


class NullSource(FrameSource):
    """The same image again and again."""

    def __init__(self) -> None:
        self.name = "null"
        self.frame_size = (640, 480)
        self._image = np.zeros((480, 640, 3), np.uint8)
        self._index = 0

    def read(self, timeout: float) -> Frame:
        if self._index == FRAMES:
            raise EndOfStream
        self._index += 1
        return Frame(self._image, self._index - 1, time.perf_counter())


def bare() -> float:
    """The same calls without a session: seconds a frame."""
    source, model, sink = NullSource(), NullModel(), []
    began = time.perf_counter()
    for _ in range(FRAMES):
        sink.append(model.predict(source.read(0.1).image))
    return (time.perf_counter() - began) / FRAMES


def session() -> tuple[float, str]:
    """Seconds a frame, and the time from the capture to the finished pose."""
    report = Session(source=NullSource(), model=NullModel(), sinks=[MemorySink()]).run()
    assert report.processed == FRAMES
    stages = {stage.stage: stage for stage in report.stages}
    own = sum(stages[name].p50_ms for name in ("region", "processors", "sinks"))
    return report.duration / FRAMES, f"{own:.4f}"


def main() -> None:
    """Print a Markdown table."""
    info = system_info()
    print(
        f"{info['processor']}, {info['cpus']} CPUs, Python {info['python']}; {FRAMES} frames of 640 x 480, {ROUNDS} rounds\n"
    )
    print(
        "| round | bare calls, µs a frame | session, µs a frame | session adds, ms a frame | region + processors + sinks, p50 ms |"
    )
    print("|---|---|---|---|---|")
    for number in range(ROUNDS):
        without, (within, own) = bare(), session()
        print(f"| {number + 1} | {1e6 * without:.2f} | {1e6 * within:.1f} | {1e3 * (within - without):.4f} | {own} |")


if __name__ == "__main__":
    main()
