"""The scheduling priority of a sink's thread."""

from __future__ import annotations

import os
import sys
import threading


def lower_thread_priority(nice: int) -> None:
    """Set the niceness of this thread, 0 to 19. Linux only: elsewhere, niceness belongs to the whole process.

    The main thread keeps its priority: there, a sink is used without a session.
    """
    if sys.platform == "linux" and nice and threading.current_thread() is not threading.main_thread():
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
