"""Moments of a run that the user marks."""

from __future__ import annotations

import threading


class Marks:
    """Counts the marks of one session; whatever keeps frames compares the count with the one it has seen.

    Any thread may call it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = self._kept = 0

    @property
    def count(self) -> int:
        """How often something was marked."""
        return self._count

    @property
    def kept(self) -> int:
        """How many frames were kept for it: 0 if nothing in this session keeps frames."""
        return self._kept

    def add(self) -> None:
        """Mark the frame that comes next."""
        with self._lock:
            self._count += 1

    def add_kept(self) -> None:
        """Say that a frame was kept for a mark."""
        with self._lock:
            self._kept += 1
