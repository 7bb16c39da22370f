"""How long a Python thread may keep the others waiting while a live session runs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_INTERVAL = (
    1e-4  # seconds; Python's own is 5e-3, and a sink that computes would hold each frame up so long, several times
)
_lock = threading.Lock()
_inside = 0
_before = 0.0


@contextmanager
def quick_switching(wanted: bool = True) -> Iterator[None]:
    """Have Python's threads take turns every 0.1 ms, in all of the process, until the last such block ends."""
    global _inside, _before  # the interval is the process's, so is the count of those who want it short
    if not wanted:
        yield
        return
    with _lock:
        if _inside == 0:
            _before = sys.getswitchinterval()
            sys.setswitchinterval(min(_INTERVAL, _before))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                sys.setswitchinterval(_before)
