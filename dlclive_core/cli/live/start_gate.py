"""The moment when all of a run is open."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dlclive_core.data.estimate import RunInfo


class Beginning:
    """Does something once, when the last of several sessions has opened everything. Their threads call it.

    Args:
        count: of the sessions.
        begin: what is done; what it raises ends the session that came last, and so the rig.
    """

    def __init__(self, count: int, begin: Callable[[RunInfo], None]) -> None:
        self._missing, self._begin = count, begin
        self._lock = threading.Lock()

    def one_is_open(self, run: RunInfo) -> None:
        """One of them has opened everything."""
        with self._lock:
            self._missing -= 1
            is_last = self._missing == 0
        if is_last:
            self._begin(run)
