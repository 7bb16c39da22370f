"""Keypoints that jump farther than an animal can move are held where they were.

A measurement x is accepted if it lies within reach of the last accepted position p, measured T seconds before:

    |x - p| <= max_speed T + tolerance

Otherwise p stays, and T grows until something within reach is measured or the keypoint is forgotten. Such filters are usual for
animals located by satellite: B. J. McConnell, C. Chambers, M. A. Fedak, Antarctic Science 4 (1992) 393-398. Theirs also looks
ahead in time; this one cannot.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dlclive_core import Frame, RunInfo, check_number
from dlclive_processors.filters.keypoint_filter import FARTHEST, Array, KeypointFilter, Mask
from dlclive_processors.filters.memory import Record


class Outliers(KeypointFilter):
    """Holds keypoints that jump farther than physics allows; the others pass through unchanged.

    A held keypoint is at its last accepted position with confidence 0, because the model's confidence belongs to the position
    that was refused: nothing that requires a confident keypoint acts on it. A new place is accepted as soon as the
    animal can have reached it, and `max_gap` seconds after the last accepted position in any case: then the jump was real,
    such as an animal that left and came back. So one wrong detection holds a keypoint for a frame, and starting on a
    wrong one holds it for at most `max_gap`.

    A keypoint unseen for at most `max_gap` seconds stays where it was, with the model's low confidence; after that it is
    missing. See `KeypointFilter` for this, for individuals, and for recordings that go back.

    Args:
        max_speed: the highest speed of a keypoint in px/s. The snout of a mouse that turns is faster than the mouse.
        tolerance: how far the model's noise alone can move a keypoint, in px: at hundreds of frames per second, noise is
            faster than any animal.
        min_confidence: a keypoint below this counts as unseen.
        max_gap: seconds after which a new place is accepted.

    Raises:
        UsageError: an invalid option.
    """

    def __init__(
        self, *, max_speed: float, tolerance: float = 5.0, min_confidence: float = 0.6, max_gap: float = 0.5
    ) -> None:
        super().__init__(min_confidence=min_confidence, max_gap=max_gap)
        self._max_speed = check_number("max_speed", max_speed, above=0)
        self._tolerance = check_number("tolerance", tolerance, least=0, most=FARTHEST)
        self._held = self._seen = 0

    @property
    def statistics(self) -> Mapping[str, float]:
        """`held`: how often a keypoint was held because it had jumped; `seen`: how often one was seen at all."""
        return {"held": self._held, "seen": self._seen}

    def open(self, run: RunInfo) -> None:
        """Forget an earlier run, and count from 0."""
        super().open(run)
        self._held = self._seen = 0

    def layout(self, coordinates: int) -> list[tuple[str, type, tuple[int, ...]]]:
        """The last accepted position in px."""
        return [("position", float, (coordinates,))]

    def start(self, state: Record, measured: Array) -> None:
        """At the measured position."""
        state["position"] = measured
        self._seen += len(state)

    def update(self, state: Record, measured: Array, since: Array) -> Mask:
        """Accept what is within reach."""
        away = np.sqrt(np.square(measured - state["position"]).sum(axis=-1))
        accepted = away <= self._max_speed * self.interval(since) + self._tolerance
        state["position"][accepted] = measured[accepted]
        self._seen += len(state)
        self._held += len(state) - int(accepted.sum())
        return np.asarray(accepted)

    def place(self, state: Record, since: Array, frame: Frame) -> Array:
        """The last accepted positions."""
        return state["position"].copy()
