"""Whether a wish to switch on is granted: armed, not too soon, not too often."""

from __future__ import annotations

import math


class Gate:
    """Follows a condition; grants its beginnings, and takes back at once.

    A beginning that is not granted is not made up for later: the output waits for the next one, because acting late is
    acting on something else.

    Args:
        debounce: frames in a row in which the condition must hold.
        refractory: seconds after the end of one switching on before the next.
        max_rate: switchings on per second, as the shortest time between two.

    Attributes:
        granted, refused: beginnings so far.
    """

    def __init__(self, debounce: int, refractory: float, max_rate: float) -> None:
        self._debounce, self._refractory = debounce, refractory
        self._interval = 1 / max_rate
        self.armed = True
        self.reset()

    def reset(self) -> None:
        """Forget everything, also when it was on last, and count anew."""
        self.granted = self.refused = 0
        self._frames = 0
        self._granted = False
        self._began = self._ended = -math.inf

    def decide(self, holds: bool, is_on: bool, now: float) -> bool:
        """Take what one frame says; return whether the output shall be on.

        Args:
            holds: the condition, in this frame.
            is_on: whether the output is on: a device may have switched it off by itself.
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
