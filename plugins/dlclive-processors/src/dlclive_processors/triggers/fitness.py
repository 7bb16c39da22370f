"""Which frames must never be acted on, whatever they show."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from dlclive_core import Reason

_UNFIT = (Reason.STALE, Reason.GAP, Reason.CLOCK)


class Fitness:
    """Decides whether a frame may be acted on, and counts those that may not, by the reason.

    Args:
        max_age: seconds since capture after which a live frame is too old.
        max_gap: seconds after the previous frame after which a live one begins anew.

    Attributes:
        came_after_gap: whether the last frame did, armed or not: what was remembered before it is of no use.
    """

    def __init__(self, max_age: float, max_gap: float) -> None:
        self._max_age, self._max_gap = max_age, max_gap
        self._last: float | None = None
        self._is_live = self.came_after_gap = False
        self._counts: Counter[Reason] = Counter()

    def open(self, is_live: bool) -> None:
        """A run begins. A recording has no age and no gaps."""
        self._is_live = is_live
        self._last = None
        self.came_after_gap = False
        self._counts.clear()

    def objection(self, age: float, moment: float, *, armed: bool) -> Reason | None:
        """Why this frame must not be acted on; None if it may be.

        Args:
            age: seconds since its capture; 0 for a recording.
            moment: in seconds; differences between moments tell gaps. NaN for a frame without a time.
        """
        self.came_after_gap = self._is_live and self._last is not None and moment - self._last > self._max_gap
        reason = self._objection(age, armed)
        if not math.isnan(moment):
            self._last = moment
        if reason is not None:
            self._counts[reason] += 1
        return reason

    def counts(self) -> Mapping[str, float]:
        """Number of frames that were too old, came after a gap, or were stamped by another clock."""
        return {reason.label: self._counts[reason] for reason in _UNFIT}

    def _objection(self, age: float, armed: bool) -> Reason | None:
        if not armed:
            return Reason.DISARMED
        if not age >= 0:  # from the future, or NaN: no time of our clock, so it may be of any age
            return Reason.CLOCK
        if age > self._max_age:
            return Reason.STALE
        return Reason.GAP if self.came_after_gap else None
