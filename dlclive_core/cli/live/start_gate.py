"""Runs the start of a live run once all sessions are open."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dlclive_core.data.estimate import RunInfo


class StartGate:
    """Calls a function once, when the last of several sessions has opened. Called by their threads.

    Args:
        count: number of sessions.
        begin: the function; an exception in it ends the session that opened last, and so the rig.
    """

    def __init__(self, count: int, begin: Callable[[RunInfo], None]) -> None:
        self._missing, self._begin = count, begin
        self._lock = threading.Lock()

    def session_opened(self, run: RunInfo) -> None:
        """Note that one session has opened."""
        with self._lock:
            self._missing -= 1
            is_last = self._missing == 0
        if is_last:
            self._begin(run)
