"""The decision whether an output may switch on: armed, not too soon, not too often."""

from __future__ import annotations

import math


class Gate:
    """Follows a condition: grants or refuses each onset, and ends a granted one at once.

    A refused onset is not granted later: the output waits for the next one, because acting late means acting on something
    else.

    Args:
        debounce: consecutive frames in which the condition must hold.
        refractory: seconds from the end of one activation to the next onset.
        max_rate: activations per second; sets the shortest time between two onsets. Infinite: no limit.

    Attributes:
        granted, refused: number of onsets so far.
    """

    def __init__(self, debounce: int, refractory: float, max_rate: float) -> None:
        self._debounce, self._refractory = debounce, refractory
        self._interval = 1 / max_rate
        self.armed = True
        self.reset()

    def reset(self) -> None:
        """Reset the state, including the time of the last activation, and the counters."""
        self.granted = self.refused = 0
        self.restart()

    def restart(self) -> None:
        """Reset the state and the times, because time has gone back; not the counters."""
        self._frames = 0
        self._granted = False
        self._began = self._ended = -math.inf

    def decide(self, holds: bool, is_on: bool, now: float) -> bool:
        """Return whether the output is to be on after this frame.

        Args:
            holds: whether the condition holds in this frame.
            is_on: whether the output is on; the device may have switched it off by itself.
            now: seconds.
        """
        if self._granted and not is_on:
            self._end(now)
        if not holds or not self.armed:
            self._frames = 0
            if self._granted:
                self._end(now)
            return False
        self._frames += 1
        if self._granted:
            return True
        if self._frames == self._debounce:
            if now - self._ended >= self._refractory and now - self._began >= self._interval:
                self._granted, self._began = True, now
                self.granted += 1
            else:
                self.refused += 1
        return self._granted

    def _end(self, now: float) -> None:
        self._granted, self._ended = False, now
