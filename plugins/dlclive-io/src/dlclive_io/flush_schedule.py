"""How often what was written is given to the system, and to the disk."""

from __future__ import annotations

import os
import time
from typing import IO

FLUSH_SECONDS = 0.2
"""What a killed process may lose."""

SYNC_SECONDS = 1.0
"""What a power cut may lose."""


class FlushSchedule:
    """Flushes a text file to which rows are appended. Used by the thread that writes them.

    Args:
        every_row: give each row to the system at once.
    """

    def __init__(self, *, every_row: bool = False) -> None:
        self._pause = 0.0 if every_row else FLUSH_SECONDS
        self._flushed = self._synced = time.monotonic()

    def after_row(self, file: IO[str]) -> None:
        """Flush if it is time to. Raises OSError."""
        now = time.monotonic()
        if now - self._flushed < self._pause:
            return
        file.flush()
        self._flushed = now
        if now - self._synced > SYNC_SECONDS - FLUSH_SECONDS:  # the next chance may be one flush later
            os.fsync(file.fileno())
            self._synced = time.monotonic()
