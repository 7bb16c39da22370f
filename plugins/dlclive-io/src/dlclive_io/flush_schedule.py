"""When buffered rows are flushed to the operating system and synced to disk."""

from __future__ import annotations

import os
import time
from typing import IO

FLUSH_SECONDS = 0.2
"""Maximum loss after a kill, in seconds."""

SYNC_SECONDS = 1.0
"""Maximum loss after a power cut, in seconds."""


class FlushSchedule:
    """Flushes a text file as rows are appended. Used by the thread that writes them.

    Args:
        every_row: flush after each row.
    """

    def __init__(self, *, every_row: bool = False) -> None:
        self._interval = 0.0 if every_row else FLUSH_SECONDS
        self._flushed = self._synced = time.monotonic()

    def after_row(self, file: IO[str]) -> None:
        """Flush if a flush is due. Raises OSError."""
        now = time.monotonic()
        if now - self._flushed < self._interval:
            return
        file.flush()
        self._flushed = now
        if now - self._synced > SYNC_SECONDS - FLUSH_SECONDS:  # the next chance may be one flush later
            os.fsync(file.fileno())
            self._synced = time.monotonic()
