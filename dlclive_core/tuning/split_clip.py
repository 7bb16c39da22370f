"""Splits a clip into consecutive frames to evaluate on and other frames to calibrate on."""

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
"""The minimum number of frames; with fewer, neither speed nor error is meaningful."""

_CALIBRATED = 132  # every fourth frame verifies an export, the others calibrate it
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ClipSplit:
    """Images of one clip; no image is in both parts.

    Attributes:
        name: name of the clip.
        evaluated: consecutive frames to evaluate on.
        calibration: (H, W, 3) uint8 RGB images spread over the rest.
    """

    name: str
    evaluated: tuple[Image, ...]
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


def split_clip(open_clip: Callable[[], FrameSource], count: int) -> ClipSplit:
    """Split a clip: evaluate on the first `count` frames and calibrate on later ones; a short clip is split in half.

    Args:
        open_clip: returns a new source of the clip; called up to twice. The sources are opened and closed here.

    Raises:
        SourceError, DataError: the clip cannot be read, or is too short.
    """
    clip = read_clip(open_clip(), 2 * count)
    if len(clip.frames) < LEAST:
        raise DataError(f"{clip.name} has {len(clip.frames)} frames; tuning needs a clip of at least {LEAST}")
    if len(clip.frames) < 2 * count:
        half = len(clip.frames) // 2
        return ClipSplit(clip.name, clip.frames[:half], _spread(clip.frames[half:]))
    return ClipSplit(clip.name, clip.frames[:count], tuple(spread_frames(_After(open_clip(), count), _CALIBRATED)))


def _spread(frames: Sequence[Image]) -> tuple[Image, ...]:
    indices = np.linspace(0, len(frames) - 1, min(_CALIBRATED, len(frames))).round().astype(int)
    return tuple(as_rgb(frames[index]) for index in indices)
