"""The session's clock as LSL's clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_TRIES = 10
_CHECK_EVERY = 1.0  # seconds
_JUMP = 1e-3  # seconds; larger differences are real: one of the clocks stood still while the computer slept


class LslClock:
    """Maps `time.perf_counter()` to `local_clock()` of LSL: two names of one clock on most systems, with different zeros.

    The difference is measured at the start, and looked at again every second.

    Args:
        local_clock: LSL's clock, in seconds.
        counter: the session's.
    """

    def __init__(self, local_clock: Callable[[], float], counter: Callable[[], float] = time.perf_counter) -> None:
        self._local_clock, self._counter = local_clock, counter
        self._offset = self._measured()
        self._checked_at = counter()

    def at(self, moment: float) -> float:
        """LSL's time at a moment of the session's clock; now, if the moment is NaN or infinite."""
        now = self._counter()
        if now - self._checked_at > _CHECK_EVERY:
            self._checked_at = now
            offset = self._measured()
            if abs(offset - self._offset) > _JUMP:
                self._offset = offset
        return (moment if math.isfinite(moment) else now) + self._offset

    def _measured(self) -> float:
        """The difference from the try that took the shortest time, which bounds its error."""
        shortest, offset = math.inf, 0.0
        for _ in range(_TRIES):
            before = self._counter()
            lsl = self._local_clock()
            after = self._counter()
            if after - before < shortest:
                shortest, offset = after - before, lsl - (before + after) / 2
        return offset
