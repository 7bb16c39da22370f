r"""The One-Euro filter: smooth while the animal is still, quick while it moves.

A low pass whose cutoff rises with speed. For a coordinate x, measured T seconds after the last time:

    a(f) = 1 / (1 + 1 / (2 pi f T))
    s   <- s + a(d_cutoff) ((x - p) / T - s)           the smoothed speed; 0 at the start
    f    = min_cutoff + beta |s|
    p   <- p + a(f) (x - p)                            the filtered position

Source: G. Casiez, N. Roussel, D. Vogel, 1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems, Proc. CHI 2012, pp. 2527-2530. As in the authors' own programs, the speed is taken from the last
filtered position.
"""

from __future__ import annotations

import numpy as np

from dlclive_core import Frame, check_number
from dlclive_processors.filters.keypoint_filter import Array, KeypointFilter
from dlclive_processors.filters.memory import Record

HIGHEST = 1e6  # Hz: no camera is faster


class OneEuro(KeypointFilter):
    """Smooths every coordinate of every keypoint with a One-Euro filter; see the module for the formula.

    At rest it is a low pass of `min_cutoff`, which removes jitter; at speed the cutoff rises, which removes lag. Tune as the
    authors do: with `beta` at 0, lower `min_cutoff` until a still animal does not tremble; then raise `beta` until a
    fast one is not followed too late. The time between frames may vary.

    A keypoint unseen for at most `max_gap` seconds stays where it was, with a confidence below `min_confidence`; after that
    it is missing. See `KeypointFilter` for this, for individuals, and for recordings that go back.

    Args:
        min_cutoff: cutoff in Hz at rest.
        beta: how much the cutoff rises with speed, in Hz per px/s.
        d_cutoff: cutoff in Hz of the speed.
        min_confidence: a keypoint below this counts as unseen.
        max_gap: seconds for which an unseen keypoint is held.

    Raises:
        UsageError: an invalid option.
    """

    def __init__(
        self,
        *,
        min_cutoff: float = 1.0,
        beta: float = 0.05,
        d_cutoff: float = 1.0,
        min_confidence: float = 0.6,
        max_gap: float = 0.5,
    ) -> None:
        super().__init__(min_confidence=min_confidence, max_gap=max_gap)
        self._min_cutoff = check_number("min_cutoff", min_cutoff, above=0, most=HIGHEST)
        self._beta = check_number("beta", beta, least=0, most=HIGHEST)
        self._d_cutoff = check_number("d_cutoff", d_cutoff, above=0, most=HIGHEST)

    def layout(self, coordinates: int) -> list[tuple[str, type, tuple[int, ...]]]:
        """Position in px and speed in px/s."""
        return [("position", float, (coordinates,)), ("speed", float, (coordinates,))]

    def start(self, state: Record, measured: Array) -> None:
        """At the measured position, with a speed of 0."""
        state["position"] = measured

    def update(self, state: Record, measured: Array, since: Array) -> bool:
        """Move towards the measurement, the faster the keypoint the farther."""
        seconds = self.interval(since)[:, None]
        away = measured - state["position"]
        speed = state["speed"]
        speed = speed + _share(self._d_cutoff, seconds) * (away / seconds - speed)
        state["speed"] = speed
        state["position"] += _share(self._min_cutoff + self._beta * np.abs(speed), seconds) * away
        return True

    def place(self, state: Record, since: Array, frame: Frame) -> Array:
        """The filtered positions."""
        return state["position"].copy()


def _share(cutoff: Array | float, seconds: Array) -> Array:
    """The weight of a new sample in a low pass with this cutoff in Hz."""
    return 1.0 / (1.0 + 1.0 / (2.0 * np.pi * cutoff * seconds))
