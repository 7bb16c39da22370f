"""Starts a live run once all sessions are open."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dlclive_core.data.estimate import RunInfo


class StartGate:
    """Calls a function once, when the last of several sessions has opened. Thread-safe: each session calls from its thread.

    Args:
        count: number of sessions.
        begin: the function to call; an exception in it ends the session that opened last, and thereby the rig.
    """

    def __init__(self, count: int, begin: Callable[[RunInfo], None]) -> None:
        self._pending, self._begin = count, begin
        self._lock = threading.Lock()

    def session_opened(self, run: RunInfo) -> None:
        """Count one opened session."""
        with self._lock:
            self._pending -= 1
            is_last = self._pending == 0
        if is_last:
            self._begin(run)
