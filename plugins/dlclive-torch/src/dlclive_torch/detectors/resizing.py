"""How large an image is shown to a detector, and padded how far."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FixedSize:
    """A square, whatever the image; its proportions change.

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
    """Proportions stay: the shorter side becomes `shorter`, or less where the longer one would be above `longer`.

    Args:
        shorter: of the shorter side [px].
        longer: of the longer side [px], at most.
        divisor: that height and width become multiples of, by zeros at the bottom and right.
    """

    shorter: int
    longer: int
    divisor: int = 32

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width [px] before padding.

        The arithmetic is that of torchvision, in double precision and rounded down, so that 800 / 333 * 333 is 799 or
        800 where it is 799 or 800 there: one pixel moves all boxes.
        """
        scale = min(self.shorter / min(height, width), self.longer / max(height, width))
        return math.floor(height * scale), math.floor(width * scale)


Resizing = FixedSize | ShorterSide
