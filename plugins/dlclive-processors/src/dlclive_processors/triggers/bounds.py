"""A value above one bound, below another, or between the two."""

from __future__ import annotations

import math

from dlclive_core import UsageError, check_number
from dlclive_processors.triggers.condition import UNKNOWN, Reading


class Bounds:
    """Two bounds of a measured value, of which one may be None.

    Args:
        above: holds for values greater than this.
        below: holds for values less than this.
        names: of the two options, for messages.
        unit: for messages.
        most: the greatest bound that makes sense.

    Raises:
        UsageError: neither is given; one is not a number from 0 to `most`; nothing lies between them.
    """

    def __init__(
        self,
        above: float | None,
        below: float | None,
        *,
        names: tuple[str, str] = ("above", "below"),
        unit: str = "px",
        most: float = math.inf,
    ) -> None:
        if above is None and below is None:
            raise UsageError(f"give {names[0]} or {names[1]}, in {unit}")
        self.above = -math.inf if above is None else check_number(names[0], above, least=0, most=most)
        self.below = math.inf if below is None else check_number(names[1], below, above=0, most=most)
        if self.above >= self.below:
            raise UsageError(f"{names[0]} is {above:g} and {names[1]} {below:g}: nothing lies between them")

    def reading(self, value: float) -> Reading:
        """Whether a value lies between the bounds; unknown if it is NaN."""
        if math.isnan(value):
            return UNKNOWN
        return Reading(self.above < value < self.below, value)
