"""The Gaussian kernels of OpenCV, which made the pictures that conditional networks were trained with."""

from __future__ import annotations

import math

_BINOMIAL = {
    1: (1.0,),
    3: (2.0, 1.0),
    5: (6.0, 4.0, 1.0),
    7: (9.0, 7.0, 3.5, 1.0),
    9: (60.0, 51.0, 30.0, 13.0, 4.0),
}
"""Up to 9 pixels, OpenCV takes fixed numbers that are close to a Gaussian. From the middle outwards."""


def gaussian_taps(length: int) -> tuple[float, ...]:
    """Return a kernel of an odd length from its middle to its end, 1 in the middle.

    The standard deviation is the one that OpenCV takes where none is given, 0.3 * ((length - 1) / 2 - 1) + 0.8.
    """
    if length in _BINOMIAL:
        return tuple(tap / _BINOMIAL[length][0] for tap in _BINOMIAL[length])
    deviation = 0.3 * ((length - 1) / 2 - 1) + 0.8
    return tuple(math.exp(-0.5 * (step / deviation) ** 2) for step in range(length // 2 + 1))
