"""DeepLabCut's default colours of keypoints: matplotlib's colour map "rainbow"."""

from __future__ import annotations

import math

_STEPS = 256
"""Colours in the map."""


def rainbow(count: int) -> list[tuple[float, ...]]:
    """Return `count` RGB colours from violet to red, with integer values 0..255.

    At x from 0 to 1, red is |2x - 1/2|, green is sin(pi x), and blue is cos(pi x / 2), all at most 1.
    """
    positions = [number / (count - 1) if count > 1 else 0.0 for number in range(count)]
    steps = [min(int(position * _STEPS), _STEPS - 1) / (_STEPS - 1) for position in positions]
    return [
        tuple(
            float(int(255 * min(max(part, 0.0), 1.0))) for part in (abs(2 * x - 0.5), math.sin(math.pi * x), _blue(x))
        )
        for x in steps
    ]


def _blue(x: float) -> float:
    return math.cos(math.pi * x / 2)
