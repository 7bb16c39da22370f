"""A camera's clock."""

from __future__ import annotations


def ticks_to_seconds(ticks: int, frequency: float) -> float | None:
    """A time stamp in seconds; None for 0, which is what cameras and emulators without a clock say."""
    return ticks / frequency if ticks else None
