"""What a trigger reports: to its log, to a callback, to an output."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Reason(IntEnum):
    """Why an output was switched; the names are those in the events file."""

    CONDITION = 0  # it began to hold (on), or no longer holds (off)
    MISSING = 1
    STALE = 2
    GAP = 3
    DISARMED = 4
    END = 5
    LAPSED = 6
    HOST_GONE = 7
    NOT_ACKNOWLEDGED = 8
    CLOCK = 9  # the frame's time stamp lies in the future, or is not a time

    @property
    def label(self) -> str:
        """The text in the events file."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerEvent:
    """A condition began to hold for an individual, or no longer holds.

    Attributes:
        trigger: the trigger's name.
        frame: the frame's number.
        time: seconds since the run began (live) or in the recording.
        individual: its identity, or the name of its row; of a pair, both names joined by `+`; empty for the whole scene.
        event: what happened, for example "on", "off", "lost" or "end"; a region says "enter" and "leave". Every beginning is
            followed by exactly one end.
        begins: whether it is a beginning.
        x, y: where, in px; NaN if it has no place.
        confidence: the model's; 0 if nothing was detected.
        value: what was measured, such as a speed in px/s; NaN if the condition measures nothing.
    """

    trigger: str
    frame: int
    time: float
    individual: str
    event: str
    begins: bool
    x: float
    y: float
    confidence: float
    value: float
