"""The scheduling priority of a process that must react at once."""

from __future__ import annotations

import os
import sys


def request_realtime_priority() -> None:
    """Request real-time scheduling for this process, else a lower niceness; continue if neither is permitted.

    On Windows: its high priority class, and a clock that wakes sleepers every millisecond instead of every 15.6.
    """
    if sys.platform == "win32":
        import ctypes
        import subprocess

        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = ctypes.c_void_p  # a handle is wider than an int
        kernel.SetPriorityClass.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), subprocess.HIGH_PRIORITY_CLASS)
        ctypes.WinDLL("winmm").timeBeginPeriod(1)
    else:
        if sys.platform == "linux" and _is_realtime():
            return
        try:
            os.nice(-10)
        except OSError:
            return


def _is_realtime() -> bool:
    """Whether Linux has granted real-time scheduling."""
    if sys.platform == "linux":
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        except OSError:
            return False
    return True
