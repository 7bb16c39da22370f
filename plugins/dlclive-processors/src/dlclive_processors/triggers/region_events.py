"""The events of a region trigger, and their lines in a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

EventKind = Literal["enter", "leave", "lost", "end"]

REGION_COLUMNS = ("frame", "time", "individual", "event", "x", "y", "confidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionEvent:
    """An individual's keypoint entered a region or is no longer in it.

    Attributes:
        frame: the frame's number.
        time: seconds since the run began (live) or in the recording.
        individual: its identity, or the name of its row.
        event: "enter"; "leave": it was seen outside; "lost": it is no longer seen; "end": the run ended while it was
            inside. Every "enter" is followed by one of the other three.
        x, y: position of the keypoint in that frame, px; NaN if it was not detected.
        confidence: the model's; 0 if it was not detected.
    """

    frame: int
    time: float
    individual: str
    event: EventKind
    x: float
    y: float
    confidence: float


def region_row(event: RegionEvent) -> Sequence[object]:
    """The line of an event, in the order of `REGION_COLUMNS`."""
    place = (f"{event.x:.3f}", f"{event.y:.3f}", f"{event.confidence:.4f}")
    return (event.frame, f"{event.time:.6f}", event.individual, event.event, *place)
