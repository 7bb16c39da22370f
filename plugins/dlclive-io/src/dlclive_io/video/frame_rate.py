"""Measures the frame rate of a video by its timestamps."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

MEASURED = 64
"""Number of packets used to measure the rate."""

_TOLERANCE = 0.05


def measured_rate(stamps: Sequence[int], unit: Fraction, declared: Fraction | None) -> Fraction | None:
    """The rate in frames per second by the timestamps if they contradict the declared rate; else the declared one.

    Some recorders declare 1000 frames/s, or the requested rate, although their frames arrive more slowly. A pause or a lost
    frame changes the mean interval, a coarse clock the median: the declared rate is rejected only if both differ from it.

    Args:
        stamps: presentation times of the first packets, in any order.
        unit: unit of the timestamps, in seconds.
        declared: frames per second; None if not declared.
    """
    steps = np.diff(np.sort(np.asarray(stamps, dtype=np.int64)))
    if len(steps) < 2 or not steps.any():
        return declared
    mean = Fraction(int(steps.sum()), len(steps)) * unit
    if not declared:
        return 1 / mean
    expected = 1 / declared / unit  # in units
    slack = _TOLERANCE * expected
    agrees = abs(float(np.median(steps)) - expected) <= max(slack, 1) or abs(float(mean / unit) - expected) <= slack
    return declared if agrees else 1 / mean
