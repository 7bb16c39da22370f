"""Resizing and padding of a detector's input."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FixedSize:
    """Resize every image to a square; the aspect ratio changes.

    Args:
        side: of the square [px].
    """

    side: int
    divisor: int = 1

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width [px]."""
        return self.side, self.side


@dataclass(frozen=True, slots=True)
class ShorterSide:
    """Keep the aspect ratio: the shorter side becomes `shorter`, or less if the longer side would exceed `longer`.

    Args:
        shorter: length of the shorter side [px].
        longer: maximum length of the longer side [px].
        divisor: zeros at the bottom and right pad height and width to multiples of this.
    """

    shorter: int
    longer: int
    divisor: int = 32

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width [px] before padding.

        Same arithmetic as torchvision, in double precision and rounded down, so that rounding agrees: 800 / 333 * 333 could
        be 799 or 800, and one pixel moves all boxes.
        """
        scale = min(self.shorter / min(height, width), self.longer / max(height, width))
        return math.floor(height * scale), math.floor(width * scale)


Resizing = FixedSize | ShorterSide
