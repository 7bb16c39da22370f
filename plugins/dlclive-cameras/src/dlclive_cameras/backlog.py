"""Detects the backlog of a stream: frames that waited while newer ones followed."""

from __future__ import annotations

import math

_AS_SENT = 0.8  # of the time between two frames; a frame that arrives sooner after its predecessor has waited
_WAITED = 0.1  # seconds; normal network delay is shorter, also for frames that arrive in pairs
_DRIFT = 0.005  # seconds per second between the two clocks


class Backlog:
    """Recognises outdated frames of a stream: those that waited while it was opened, and those after a stall.

    They arrive faster than their timestamps until the reader has caught up. Without timestamps every frame counts as new. The
    first timestamp may be 0, which looks like a missing one, so the second frame decides.

    Args:
        longest: seconds after which the start is over at the latest.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._began: float | None = None
        self._last: tuple[float, float] | None = None
        self._shortest = math.inf
        self._without = 0
        self._started = False

    def holds(self, now: float, device_time: float | None) -> bool:
        """Whether the frame that arrived at `now`, in seconds, waited, with newer ones behind it."""
        if device_time is None:
            self._without += 1
            return self._without < 2 and not self._started
        last, self._last = self._last, (now, device_time)
        self._began = now if self._began is None else self._began
        if last is None:
            return True
        step, waited = device_time - last[1], now - last[0]
        transit = now - device_time
        if step <= 0:  # the stream's clock was reset
            self._shortest = math.inf
        self._shortest = min(transit, self._shortest + _DRIFT * waited)
        if step <= 0 or waited >= _AS_SENT * step or (not self._started and now - self._began > self._longest):
            self._started = True
            return False
        return not self._started or transit - self._shortest > _WAITED
