"""How long the disk will last."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

WARN_BYTES = 5 * 10**9
"""Below this, the start of a recording warns."""

LOOK_SECONDS = 5.0
"""Between two looks at the disk."""


class DiskSpace:
    """Watches the free space under a folder while a file grows there.

    The rate is that of the last five seconds: of the file, or of the whole disk if that fills faster, because several
    recordings may share it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.free = free_bytes(folder)
        self.rate = 0.0  # bytes per second
        self._written = 0
        self._looked = time.monotonic()

    @property
    def is_low(self) -> bool:
        """Whether a long recording should not begin here."""
        return self.free < WARN_BYTES

    @property
    def is_due(self) -> bool:
        """Whether it is time to look again."""
        return time.monotonic() - self._looked >= LOOK_SECONDS

    def look(self, written: int) -> float:
        """Look at the disk; `written` bytes are in the files by now. Returns the seconds that are left at this rate."""
        now = time.monotonic()
        free, passed = free_bytes(self._folder), max(now - self._looked, 1e-3)
        self.rate = max(written - self._written, self.free - free, 0) / passed
        self.free, self._written, self._looked = free, written, now
        return free / self.rate if self.rate > 0 else float("inf")

    def __str__(self) -> str:
        return f"{self.free / 1e9:.1f} GB free in {self._folder}"


def free_bytes(folder: Path) -> int:
    """What a user may still write."""
    return shutil.disk_usage(folder).free
