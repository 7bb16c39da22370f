"""Whether one trial is faster than another beyond the noise of the machine."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dlclive_core.benchmark.interleaved import BLOCK
from dlclive_core.tuning.trial import Goal, Trial

_FEWEST = 3  # measurements; the spread of fewer says nothing
_ERRORS = 2.0  # standard errors by which a difference must exceed 0
_LEAST_GAIN = 0.02  # of the time: a gain that nobody notices is no reason either


def is_faster(fast: Trial, slow: Trial, goal: Goal) -> bool:
    """Whether `fast` beats `slow` in repeated measurements, not only in their sum.

    Finalists ran the same blocks of frames right after each other. The median (or for p99 the maximum) of each block is one
    measurement, and the mean of their differences must exceed the spread that these differences have. Brief trials are
    compared call by call. Trials of different length are not of the same frames: their spreads add up. Trials with fewer
    than three measurements cannot be told apart; trials without times are compared by their percentiles.
    """
    if not fast.times or not slow.times:
        return fast.time(goal) < slow.time(goal)
    ours, theirs = _measurements(fast, goal), _measurements(slow, goal)
    if min(len(ours), len(theirs)) < _FEWEST:
        return False
    if len(fast.times) == len(slow.times):
        gains = theirs - ours
        gain, error = gains.mean(), _standard_error(gains)
    else:
        gain, error = theirs.mean() - ours.mean(), math.hypot(_standard_error(ours), _standard_error(theirs))
    return bool(gain > max(_ERRORS * error, _LEAST_GAIN * theirs.mean()))


def _measurements(trial: Trial, goal: Goal) -> NDArray[np.float64]:
    """One measurement for each block of frames, or for each call if there are few."""
    times = np.array(trial.times)
    if len(times) < _FEWEST * BLOCK:
        return times
    blocks = times[: len(times) // BLOCK * BLOCK].reshape(-1, BLOCK)
    measurements: NDArray[np.float64] = np.median(blocks, axis=1) if goal == "p50" else blocks.max(axis=1)
    return measurements


def _standard_error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / math.sqrt(len(values)))
