"""Timestamps of a camera's clock."""

from __future__ import annotations


def ticks_to_seconds(ticks: int, frequency: float) -> float | None:
    """A timestamp in seconds; None for 0, which cameras and emulators without a clock report."""
    return ticks / frequency if ticks else None
