"""The scheduling priority of a process that must react at once."""

from __future__ import annotations

import os


def request_realtime_priority() -> None:
    """Request real-time scheduling for this process, else a lower niceness; continue if neither is permitted."""
    if hasattr(os, "sched_setscheduler"):
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        except OSError:
            pass
        else:
            return
    try:
        os.nice(-10)
    except OSError:
        return
