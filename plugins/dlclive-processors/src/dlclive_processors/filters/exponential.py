"""Exponential smoothing with a time constant, so that the frame rate does not matter.

The low pass of first order, p' = (x - p) / tau, for a measurement x that is held over the T seconds since the last one:

    p <- p + (1 - exp(-T / tau)) (x - p)

This is the exponential smoothing of R. G. Brown (Smoothing, Forecasting and Prediction of Discrete Time Series,
Prentice-Hall 1963) with the weight 1 - exp(-T / tau) instead of a constant, so that two steps of T/2 are equal to one of T.
"""

from __future__ import annotations

import numpy as np

from dlclive_core import Frame, check_number
from dlclive_processors.filters.keypoint_filter import LONGEST_GAP, Array, KeypointFilter
from dlclive_processors.filters.memory import Record


class Exponential(KeypointFilter):
    """Smooths every keypoint exponentially; see the module for the formula.

    What is measured now counts fully after a few `time_constant`s; a keypoint that moves steadily is followed
    `time_constant` seconds late. Noise that is independent from frame to frame shrinks, at a frame interval T much
    shorter than the time constant, to about sqrt(T / (2 time_constant)) of itself.

    A keypoint unseen for at most `max_gap` seconds stays where it was, with a confidence below `min_confidence`; after that
    it is missing. See `KeypointFilter` for this, for individuals, and for recordings that go back.

    Args:
        time_constant: tau in seconds.
        min_confidence: a keypoint below this counts as unseen.
        max_gap: seconds for which an unseen keypoint is held.

    Raises:
        UsageError: an invalid option.
    """

    def __init__(self, *, time_constant: float = 0.05, min_confidence: float = 0.6, max_gap: float = 0.5) -> None:
        super().__init__(min_confidence=min_confidence, max_gap=max_gap)
        self._time_constant = check_number("time_constant", time_constant, least=1e-6, most=LONGEST_GAP)

    def layout(self, coordinates: int) -> list[tuple[str, type, tuple[int, ...]]]:
        """The smoothed position in px."""
        return [("position", float, (coordinates,))]

    def start(self, state: Record, measured: Array) -> None:
        """At the measured position."""
        state["position"] = measured

    def update(self, state: Record, measured: Array, since: Array) -> bool:
        """Move towards the measurement, the longer ago the last one the farther."""
        share = -np.expm1(-self.interval(since) / self._time_constant)
        state["position"] += share[:, None] * (measured - state["position"])
        return True

    def place(self, state: Record, since: Array, frame: Frame) -> Array:
        """The smoothed positions."""
        return state["position"].copy()
