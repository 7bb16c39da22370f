"""The frame rate that the timestamps of a video tell."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

MEASURED = 64
"""Number of packets from which the rate is measured."""

_TOLERANCE = 0.05


def measured_rate(stamps: Sequence[int], unit: Fraction, declared: Fraction | None) -> Fraction | None:
    """Frames per second that the timestamps tell where they contradict the declared rate; else the declared one.

    Recorders write 1000 frames/s, or the rate that they were asked for, into files whose frames come more slowly. A pause
    or a lost frame changes the mean interval, and a coarse clock the median one: only both together contradict.

    Args:
        stamps: presentation times of the first packets, in any order.
        unit: of the stamps, in seconds.
        declared: frames per second; None without a declaration.
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
