"""Who goes first where cores are short."""

from __future__ import annotations

import os
import sys
import threading


def lower_thread_priority(nice: int) -> None:
    """Lower the priority of this thread, 0 to 19. Linux only: elsewhere threads have no niceness of their own.

    The main thread keeps its priority: its owner called a sink by hand.
    """
    if sys.platform == "linux" and nice and threading.current_thread() is not threading.main_thread():
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
