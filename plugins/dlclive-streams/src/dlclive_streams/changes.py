"""A change of an output's state, as messages tell it."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_core import Reason


@dataclass(frozen=True, slots=True)
class Change:
    """An output was switched.

    Attributes:
        on: the new state.
        reason: why.
        frame, age: number and age, in seconds, of the frame behind the decision; -1 and 0 where no frame was behind it.
        decided_at: Unix time of the decision.
    """

    on: bool
    reason: Reason
    frame: int
    age: float
    decided_at: float
