"""A clip split into consecutive frames to evaluate on and others to calibrate on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.benchmark.clip import read_clip
from dlclive_core.components import FrameSource
from dlclive_core.data.frame import Frame, as_rgb
from dlclive_core.errors import DataError
from dlclive_core.plugins.spread_frames import spread_frames

LEAST = 20
"""The least number of frames: with fewer, neither speed nor error is meaningful."""

_CALIBRATED = 132  # a hundred to calibrate on, a third as many for an export to be compared on
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ClipSplit:
    """Images of one clip; no image is in both parts.

    Attributes:
        name: of the clip.
        judged: consecutive frames to evaluate on.
        calibration: (H, W, 3) uint8 RGB images spread over the rest.
    """

    name: str
    judged: tuple[Image, ...]
    calibration: tuple[Image, ...]


class _After(FrameSource):
    """A recording without its first frames."""

    def __init__(self, source: FrameSource, skipped: int) -> None:
        self._source, self._skipped = source, skipped

    def open(self) -> None:
        self._source.open()
        for _ in range(self._skipped):
            self._source.read(1.0)

    def read(self, timeout: float) -> Frame:
        return self._source.read(timeout)

    def close(self) -> None:
        self._source.close()


def split_clip(make: Callable[[], FrameSource], count: int) -> ClipSplit:
    """Split a clip: evaluate on the first `count` frames and calibrate on later ones; a short clip is split in half.

    Args:
        make: a new source of the clip, which is opened and closed; called twice.

    Raises:
        SourceError, DataError: it cannot be read, or is too short.
    """
    clip = read_clip(make(), 2 * count)
    if len(clip.frames) < LEAST:
        raise DataError(f"{clip.name} has {len(clip.frames)} frames; tuning needs a clip of at least {LEAST}")
    if len(clip.frames) < 2 * count:
        half = len(clip.frames) // 2
        return ClipSplit(clip.name, clip.frames[:half], _spread(clip.frames[half:]))
    return ClipSplit(clip.name, clip.frames[:count], tuple(spread_frames(_After(make(), count), _CALIBRATED)))


def _spread(frames: Sequence[Image]) -> tuple[Image, ...]:
    places = np.linspace(0, len(frames) - 1, min(_CALIBRATED, len(frames))).round().astype(int)
    return tuple(as_rgb(frames[place]) for place in places)
