"""A process that records from a camera until it is killed: `python recorder.py FOLDER [fps] [suffix]`.

It prints "armed" when the session starts, and keeps the number of the newest frame in a memory-mapped file, so that the
frames lost can be counted afterwards.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

import numpy as np
from dlclive_io.tables.pose_table import PoseTable
from dlclive_io.tables.timestamp_table import TimestampTable
from dlclive_io.video.video_recording import VideoRecording

from dlclive_core import Frame, FrameSource, Session
from dlclive_core.testing import NullModel

BITS, BLOCK, SIZE = 16, 20, (320, 240)
COUNTER = "newest.bin"


def draw(number: int, background: np.ndarray) -> np.ndarray:
    """(240, 320, 3) RGB: the number as black and white blocks above a moving pattern."""
    image = np.roll(background, 3 * number, axis=1)
    for bit in range(BITS):
        image[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 if number >> bit & 1 else 0
    return image


def number_in(image: np.ndarray) -> int:
    """The number that `draw` drew."""
    middle = image[BLOCK // 2, BLOCK // 2 : BITS * BLOCK : BLOCK].mean(axis=1)
    return sum(1 << bit for bit in range(BITS) if middle[bit] > 127)


class Camera(FrameSource):
    """Frames at a steady rate, each with its number in the picture."""

    is_live = True
    name = "test camera"

    def __init__(self, folder: Path, fps: float) -> None:
        self.fps, self.frame_size = fps, SIZE
        rng = np.random.default_rng(0)
        self._background = rng.integers(0, 255, (SIZE[1] // 8, SIZE[0] // 8, 3), np.uint8)
        self._background = self._background.repeat(8, axis=0).repeat(8, axis=1)
        with (folder / COUNTER).open("wb+") as file:
            file.write(struct.pack("q", -1))
            file.flush()
            self._newest = mmap.mmap(file.fileno(), 8)
        self._next = 0
        self._began = 0.0

    def read(self, timeout: float) -> Frame:
        if self._next == 0:
            print("armed", flush=True)
            self._began = time.perf_counter()
        due = self._began + self._next / float(self.fps or 1)
        time.sleep(max(0.0, due - time.perf_counter()))
        number, self._next = self._next, self._next + 1
        image = draw(number, self._background)
        now = time.perf_counter()
        self._newest[:] = struct.pack("q", number)
        return Frame(image, number, now, now - self._began, self.name)


def newest(folder: Path) -> int:
    """The number of the last frame that the camera of a killed process delivered; -1 for none."""
    return int(struct.unpack("q", (folder / COUNTER).read_bytes())[0])


def main() -> None:
    """Record until killed."""
    folder = Path(sys.argv[1])
    fps = float(sys.argv[2]) if len(sys.argv) > 2 else 100.0
    suffix = sys.argv[3] if len(sys.argv) > 3 else ".mkv"
    Session(
        source=Camera(folder, fps),
        model=NullModel(keypoints=20),
        sinks=[
            PoseTable(folder / "mouse.h5"),
            PoseTable(folder / "mouse.csv"),
            TimestampTable(folder / "times.csv"),
            VideoRecording(folder / f"mouse{suffix}"),
        ],
        queue_size=64,
    ).run()


if __name__ == "__main__":
    main()
