"""What a rule measures over several frames."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """A speed, or for how long it has been below a bound.

    Attributes:
        keypoint: whose; empty: of the body.
        still_below: px/s; None: the speed itself.
    """

    keypoint: str = ""
    still_below: float | None = None
