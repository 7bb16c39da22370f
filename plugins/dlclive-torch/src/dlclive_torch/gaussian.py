"""OpenCV's Gaussian kernels, as in the condition images that networks were trained on."""

from __future__ import annotations

import math

_BINOMIAL = {
    1: (1.0,),
    3: (2.0, 1.0),
    5: (6.0, 4.0, 1.0),
    7: (9.0, 7.0, 3.5, 1.0),
    9: (60.0, 51.0, 30.0, 13.0, 4.0),
}
"""Up to 9 pixels, OpenCV uses fixed values close to a Gaussian. Listed from the centre outwards."""


def gaussian_taps(length: int) -> tuple[float, ...]:
    """Return one half of a kernel of odd length, from its centre to its end; the centre is 1.

    The standard deviation is OpenCV's default, 0.3 * ((length - 1) / 2 - 1) + 0.8.
    """
    if length in _BINOMIAL:
        return tuple(tap / _BINOMIAL[length][0] for tap in _BINOMIAL[length])
    deviation = 0.3 * ((length - 1) / 2 - 1) + 0.8
    return tuple(math.exp(-0.5 * (step / deviation) ** 2) for step in range(length // 2 + 1))
