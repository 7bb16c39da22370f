"""The frames that all candidates run: the first ones of a recording, or rendered ones; read before, kept in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import FrameSource
from dlclive_core.errors import DataError, EndOfStream

MOST_BYTES = 1 << 30
"""Memory that frames may take."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames that follow one another.

    Attributes:
        name: of the recording.
        frames: (H, W, 3) uint8 RGB or (H, W) grey.
        fps: of the recording, None where it does not say.
        frame_count: of the whole recording, None where it does not say.
        note: why there are fewer than were asked for, or what was damaged; empty if nothing was.
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
        """How long the whole recording is."""
        return self.frame_count / self.fps if self.frame_count and self.fps else None


def read_clip(source: FrameSource, count: int, most_bytes: int = MOST_BYTES) -> Clip:
    """The first `count` frames of a recording; it is opened and closed.

    A recording that ends early, is damaged, or whose frames are so large that fewer fit into `most_bytes` gives what there is,
    and the clip's note says so.

    Raises:
        SourceError, DataError: it cannot be read, or holds no frame.
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
                        f"{len(frames)} frames instead of {count}: more would take over {most_bytes >> 20} MB of memory"
                    )
                    break
                frames.append(image)
                used += image.nbytes
        except EndOfStream:
            notes.append(f"it ended after {len(frames)} of the {count} frames asked for: these are used")
        if source.corrupt:
            notes.append(f"it is damaged: {source.corrupt} pieces could not be decoded")
        name, fps, total = source.name, source.fps, source.frame_count
    if not frames:
        raise DataError(f"{name} holds no frame: " + ("; ".join(notes) or "nothing to measure on"))
    return Clip(name, tuple(frames), fps, total, f"{name}: {'; '.join(notes)}" if notes else "")
