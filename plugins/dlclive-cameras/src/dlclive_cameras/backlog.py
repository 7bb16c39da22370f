"""Frames of a stream that waited, with newer ones behind them."""

from __future__ import annotations

import math

_AS_SENT = 0.8  # of the time between two frames: one that comes sooner after the frame before it has waited
_WAITED = 0.1  # seconds; a network delays frames by less, and they often come in pairs
_DRIFT = 0.005  # seconds per second between the two clocks


class Backlog:
    """Tells which frames of a stream are no news: those that waited while it was opened, and those after a stall.

    They come faster than their own times say, one after the other, until the reader has caught up. Without times nothing tells,
    and every frame counts as new; but the first one's time may be 0, which looks like none, so that the second one decides.

    Args:
        longest: seconds after which the start is over in any case.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._began: float | None = None
        self._last: tuple[float, float] | None = None
        self._shortest = math.inf
        self._without = 0
        self._started = False

    def holds(self, now: float, device_time: float | None) -> bool:
        """Whether the frame that came `now`, in seconds, waited and newer ones did, too."""
        if device_time is None:
            self._without += 1
            return self._without < 2 and not self._started
        last, self._last = self._last, (now, device_time)
        self._began = now if self._began is None else self._began
        if last is None:
            return True
        step, waited = device_time - last[1], now - last[0]
        way = now - device_time
        if step <= 0:  # the stream's clock was set anew
            self._shortest = math.inf
        self._shortest = min(way, self._shortest + _DRIFT * waited)
        if step <= 0 or waited >= _AS_SENT * step or (not self._started and now - self._began > self._longest):
            self._started = True
            return False
        return not self._started or way - self._shortest > _WAITED
