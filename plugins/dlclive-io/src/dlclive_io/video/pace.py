"""Playing a film at the pace at which it was taken."""

from __future__ import annotations

import time

_MOST_BEHIND = 1.0  # seconds


class Pace:
    """Says when each picture of a film is due. The film begins with the first picture that is asked for.

    A film that cannot be decoded in time plays slower: when it is more than a second behind, its clock is set back.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._last = 0.0

    def left(self, seconds: float | None) -> float:
        """Seconds until the picture with this time stamp is due; negative if that has passed.

        A picture without a stamp, or with an earlier one than the picture before, is due at once.
        """
        now = time.perf_counter()
        self._last = stamp = self._last if seconds is None else max(seconds, self._last)
        if self._began is None:
            self._began = now - stamp
        left = self._began + stamp - now
        if left < -_MOST_BEHIND:
            self._began, left = now - stamp, 0.0
        return left
