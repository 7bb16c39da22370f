"""Splits a clip into consecutive frames to evaluate on and other frames to calibrate on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.benchmark.clip import read_clip
from dlclive_core.components import FrameSource
from dlclive_core.data.frame import Frame, as_rgb
from dlclive_core.errors import DataError, EndOfStream
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


class _Numbers(FrameSource):
    """The frames of a recording whose number (`Frame.index`) is at least `first` and below `stop`."""

    def __init__(self, source: FrameSource, first: int, stop: float) -> None:
        self._source, self._first, self._stop = source, first, stop

    def open(self) -> None:
        self._source.open()
        self.name = self._source.name

    def read(self, timeout: float) -> Frame:
        frame = self._source.read(timeout)
        while frame.index < self._first:
            frame = self._source.read(timeout)
        if frame.index >= self._stop:
            raise EndOfStream
        return frame

    def close(self) -> None:
        self._source.close()


def split_unseen(open_clip: Callable[[], FrameSource], count: int, unseen_from: int) -> ClipSplit:
    """Split a clip for a student that has learnt from its first part: evaluate on frames after that part, calibrate on it.

    Args:
        open_clip: returns a new source of the clip; called twice. The sources are opened and closed here.
        count: frames to evaluate on, at most: the first ones from `unseen_from` on.
        unseen_from: the number of a frame from which on the student has seen none.

    Raises:
        SourceError, DataError: the clip cannot be read, or has fewer than 20 such frames.
    """
    clip = read_clip(_Numbers(open_clip(), unseen_from, math.inf), count)
    if len(clip.frames) < LEAST:
        raise DataError(
            f"{clip.name} has {len(clip.frames)} frames that the student has not seen; tuning needs at least {LEAST}: give a "
            "longer clip"
        )
    return ClipSplit(clip.name, clip.frames, tuple(spread_frames(_Numbers(open_clip(), 0, unseen_from), _CALIBRATED)))


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
