"""The frames to measure on: the first frames of a recording or rendered frames, kept in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import FrameSource
from dlclive_core.errors import DataError, EndOfStream
from dlclive_core.text.counted import counted

MOST_BYTES = 1 << 30
"""Maximum memory for frames, in bytes."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Consecutive frames of a recording.

    Attributes:
        name: name of the recording.
        frames: (H, W, 3) uint8 RGB or (H, W) grey.
        fps: frame rate of the recording, None if unknown.
        frame_count: number of frames in the whole recording, None if unknown.
        note: why there are fewer frames than requested, or what was damaged; else empty.
    """

    name: str
    frames: tuple[NDArray[np.uint8], ...]
    fps: float | None = None
    frame_count: int | None = None
    note: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the first frame."""
        height, width = self.frames[0].shape[:2]
        return width, height

    @property
    def seconds(self) -> float | None:
        """Duration of the whole recording; None if unknown."""
        return self.frame_count / self.fps if self.frame_count and self.fps else None


def read_clip(source: FrameSource, count: int, most_bytes: int = MOST_BYTES) -> Clip:
    """Read the first `count` frames of a recording; opens and closes the source.

    Returns fewer frames, with a note, if the recording ends early, is damaged, or exceeds `most_bytes` of memory.

    Raises:
        SourceError, DataError: the recording cannot be read, or has no frames.
    """
    frames: list[NDArray[np.uint8]] = []
    used, notes = 0, []
    with source:
        source.open()
        try:
            while len(frames) < count:
                image = source.read(1.0).image
                if frames and used + image.nbytes > most_bytes:
                    notes.append(
                        f"{len(frames)} frames instead of {count}: more would need over {most_bytes >> 20} MB of memory"
                    )
                    break
                frames.append(image)
                used += image.nbytes
        except EndOfStream:
            notes.append(f"ended after {len(frames)} of the {count} requested frames")
        if source.corrupt:
            notes.append(f"damaged: {counted(source.corrupt, 'piece')} could not be decoded")
        name, fps, total = source.name, source.fps, source.frame_count
    if not frames:
        raise DataError(f"{name} has no frames to measure on" + (f": {'; '.join(notes)}" if notes else ""))
    return Clip(name, tuple(frames), fps, total, f"{name}: {'; '.join(notes)}" if notes else "")
