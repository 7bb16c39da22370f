"""Where an LED is in the picture, and whether it is on: from frames in which it blinks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlclive_core import UsageError

Image = NDArray[np.uint8]
Mean = NDArray[np.float32]

LEAST = 12.0
"""Grey levels, of 255, by which an LED has to change its pixels: less may be noise, or a lamp that flickers."""
_REACH = 16  # pixels: half of the largest LED
_SMOOTH = 3  # pixels: the side of the square over which brightness is averaged to find the LED
_FRAMES = 8  # of each phase that are averaged, at most


@dataclass(frozen=True, slots=True)
class Spot:
    """A square of pixels with its brightness, as grey levels from 0 to 255, while the LED is off and on."""

    x: int
    y: int
    size: int
    off: float
    on: float

    def brightness(self, image: Image) -> float:
        """The mean of the square in an image."""
        return float(image[self.y : self.y + self.size, self.x : self.x + self.size].mean())

    def is_lit(self, image: Image) -> bool:
        """Whether the square is brighter than halfway from off to on."""
        return self.brightness(image) > (self.off + self.on) / 2


@dataclass(slots=True)
class SpotFinder:
    """Averages the frames of each phase, in turn dark and lit, and finds what follows the LED.

    A thing that moves, or a light that changes, is bright in some of the lit phases; the LED is in all of them, but for one in
    which the animal may be in front of it. So what counts is the second smallest change of the lit phases from the median of
    the dark ones.

    Args:
        square: (x, y, size) of the LED in px of the full frame, if it is known; only its brightness is then found.
    """

    square: tuple[int, int, int] | None = None
    _sums: list[Mean] = field(default_factory=list)
    _counts: list[int] = field(default_factory=list)

    def begin(self) -> None:
        """A phase begins: dark, lit, dark, ..., dark."""
        self._counts.append(0)

    def add(self, image: Image) -> None:
        """A frame of the current phase."""
        if not self._counts or self._counts[-1] >= _FRAMES:
            return
        grey = _grey(image)
        if self._counts[-1] == 0:
            self._sums.append(grey)
        else:
            self._sums[-1] = self._sums[-1] + grey
        self._counts[-1] += 1

    @property
    def frames(self) -> int:
        """Number of frames of the current phase."""
        return self._counts[-1] if self._counts else 0

    def spot(self) -> Spot | float:
        """The LED; or, if it was not found, the largest change in grey levels that could have been one."""
        means = [total / np.float32(count) for total, count in zip(self._sums, self._counts, strict=True)]
        if min(means[0].shape) < _SMOOTH:
            return 0.0
        dark, lit = means[::2], means[1::2]
        if self.square is not None:
            x, y, size = self.square
            height, width = means[0].shape
            if not (0 <= x <= width - size and 0 <= y <= height - size):
                raise UsageError(f"led=[{x},{y},{size}] is not inside the frame, which has {width} x {height} pixels")
        else:
            change = _least_change([_smoothed(mean) for mean in dark], [_smoothed(mean) for mean in lit])
            row, column = (int(k) for k in np.unravel_index(int(np.nanargmax(change)), change.shape))
            x, y, size = _square(change, row, column)
        part = (slice(y, y + size), slice(x, x + size))
        off, on = _mean([mean[part] for mean in dark]), _mean([mean[part] for mean in lit])
        least = float(_least_change([mean[part].mean(keepdims=True) for mean in dark], _means(lit, part)).max())
        return Spot(x, y, size, off, on) if least >= LEAST else max(0.0, least)


def _grey(image: Image) -> Mean:
    return image.mean(axis=2, dtype=np.float32) if image.ndim == 3 else image.astype(np.float32)


def _means(images: Sequence[Mean], part: tuple[slice, slice]) -> list[Mean]:
    return [image[part].mean(keepdims=True) for image in images]


def _mean(parts: Sequence[Mean]) -> float:
    return float(np.mean([part.mean() for part in parts]))


def _least_change(dark: Sequence[Mean], lit: Sequence[Mean]) -> Mean:
    """(H, W): by how much the lit phases, all but one, are at least brighter than the dark ones."""
    steps = np.sort(np.stack(lit) - np.median(np.stack(dark), axis=0), axis=0)
    return steps[min(1, len(steps) - 1)]


def _smoothed(image: Mean) -> Mean:
    """Means of squares of `_SMOOTH` px, at the pixel in the middle; NaN at the border of the frame."""
    total = np.cumsum(np.cumsum(np.pad(image, ((1, 0), (1, 0))), axis=0, dtype=np.float64), axis=1)
    side = _SMOOTH
    means = (total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]) / side**2
    smoothed = np.full_like(image, np.nan)
    smoothed[side // 2 : -(side // 2), side // 2 : -(side // 2)] = means
    return smoothed


def _square(change: Mean, row: int, column: int) -> tuple[int, int, int]:
    """(x, y, size) of a square around the middle of what changes at least half as much as a pixel, and is near it."""
    bright = change >= min(change[row, column], abs(change[row, column]) / 2)
    height, width = change.shape
    top, left = max(0, row - _REACH), max(0, column - _REACH)
    rows, columns = np.nonzero(bright[top : row + _REACH + 1, left : column + _REACH + 1])
    middle = top + round(rows.mean()), left + round(columns.mean())
    if bright[middle]:
        row, column = middle
    reach = _SMOOTH // 2
    while reach < _REACH:
        top, bottom, left, right = row - reach - 1, row + reach + 2, column - reach - 1, column + reach + 2
        if top < 0 or left < 0 or bottom > height or right > width or not bright[top:bottom, left:right].all():
            break
        reach += 1
    return column - reach, row - reach, 2 * reach + 1
