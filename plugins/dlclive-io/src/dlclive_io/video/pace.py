"""The pace of a video that is played back in real time."""

from __future__ import annotations

import time

_MOST_BEHIND = 1.0  # seconds


class Pace:
    """Tells when each picture of a video is due. Playback starts with the first picture requested.

    A video that cannot be decoded in time plays slower: when it is more than a second behind, its clock is set back.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._last = 0.0

    def seconds_until(self, timestamp: float | None) -> float:
        """Seconds until the picture with this timestamp is due; negative if it is overdue.

        A picture without a timestamp, or with an earlier one than the previous picture, is due at once.
        """
        now = time.perf_counter()
        self._last = due = self._last if timestamp is None else max(timestamp, self._last)
        if self._began is None:
            self._began = now - due
        remaining = self._began + due - now
        if remaining < -_MOST_BEHIND:
            self._began, remaining = now - due, 0.0
        return remaining
