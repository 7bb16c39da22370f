"""Python's thread switch interval during live sessions."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds. With Python's default, 5e-3, a sink that computes would delay each frame by that much, several times.
_INTERVAL = 1e-4
_lock = threading.Lock()
_inside = 0
_before = 0.0


@contextmanager
def quick_switching(enabled: bool = True) -> Iterator[None]:
    """Switch between Python's threads every 0.1 ms, in the entire process, until the last such block exits."""
    global _inside, _before  # the interval belongs to the process, and so does the count of blocks
    if not enabled:
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
