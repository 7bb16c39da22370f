"""What recording costs the loop: its latency with and without writing raw video and poses."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from dlclive_io import PoseTable, TimestampTable, VideoRecording

from dlclive_core import MemorySink, Session
from tools.faults.live import PERIOD, Camera, Sleepy, compared
from tools.faults.row import Row

SIZE, SHOTS = (640, 480), 20
WAIT = 0.005  # seconds that the model waits, as for a GPU


class Arena(Camera):
    """A still floor with camera noise and a moving object."""

    def __init__(self, frames: int) -> None:
        super().__init__(frames=frames, interval=PERIOD)
        rng = np.random.default_rng(0)
        floor = rng.integers(60, 180, (SIZE[1] // 32, SIZE[0] // 32, 3)).repeat(32, axis=0).repeat(32, axis=1)
        self._shots = []
        for number in range(SHOTS):
            shot = floor + rng.integers(-3, 4, floor.shape)
            shot[200:280, 20 + 25 * number : 120 + 25 * number] = 20
            self._shots.append(shot.astype(np.uint8))
        self.frame_size = SIZE

    def draw(self, index: int) -> np.ndarray:
        return self._shots[index % SHOTS]


def recording(runs: int, seconds: float, percentile: int = 99) -> Row:
    """The loop's latency from frame to pose with and without recording, alternately; `percentile` is as for `slow_sink`."""
    latencies: dict[bool, list[float]] = {False: [], True: []}
    finished, lost = True, 0
    for _ in range(runs):
        for records in (False, True):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                memory = MemorySink()
                files = [
                    VideoRecording(folder / "raw.mkv"),
                    TimestampTable(folder / "times.csv"),
                    PoseTable(folder / "poses.h5"),
                ]
                source = Arena(frames=round(seconds / PERIOD))
                report = Session(
                    source=source, model=Sleepy(WAIT), sinks=[memory, *files] if records else [memory], queue_size=64
                ).run()
                time.sleep(0.2)  # let the disk writes finish
            finished &= all(sink.finished for sink in report.sinks)
            lost += sum(sink.dropped for sink in report.sinks)
            latencies[records] += memory.latencies
    text, growth = compared(latencies)
    return Row(
        "recording raw video, timestamps and poses",
        f"{SIZE[0]} x {SIZE[1]} RGB at 100 frames/s, a model that waits {1e3 * WAIT:g} ms",
        f"loop's p{percentile} grows <= 10 %; all files finished; unwritten estimates counted",
        f"{text}; {lost} not written",
        runs,
        finished,
        growth[percentile] <= 0.1,
    )
