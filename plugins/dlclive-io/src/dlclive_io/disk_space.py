"""Free disk space, and how long it lasts at the current write rate."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

WARN_BYTES = 5 * 10**9
"""Recordings warn at the start if less than this is free."""

CHECK_SECONDS = 5.0
"""Interval between checks."""


class DiskSpace:
    """Watches the free space of a folder's disk while a file grows there.

    The rate is measured over the last five seconds: that of the file, or of the whole disk if it fills faster, because
    several recordings may share it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.free = free_bytes(folder)
        self.rate = 0.0  # bytes per second
        self._written = 0
        self._checked_at = time.monotonic()

    @property
    def is_low(self) -> bool:
        """Whether there is too little space for a long recording."""
        return self.free < WARN_BYTES

    @property
    def is_due(self) -> bool:
        """Whether the next check is due."""
        return time.monotonic() - self._checked_at >= CHECK_SECONDS

    def check(self, written: int) -> float:
        """Measure the free space and return the seconds left at the current rate.

        Args:
            written: total size of the files so far, in bytes.
        """
        now = time.monotonic()
        free, elapsed = free_bytes(self._folder), max(now - self._checked_at, 1e-3)
        self.rate = max(written - self._written, self.free - free, 0) / elapsed
        self.free, self._written, self._checked_at = free, written, now
        return free / self.rate if self.rate > 0 else float("inf")

    def __str__(self) -> str:
        return f"{self.free / 1e9:.1f} GB free in {self._folder}"


def free_bytes(folder: Path) -> int:
    """Bytes that a user can still write."""
    return shutil.disk_usage(folder).free
