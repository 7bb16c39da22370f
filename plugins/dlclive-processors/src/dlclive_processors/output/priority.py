"""Being run at once when there is something to do."""

from __future__ import annotations

import os


def request_realtime_priority() -> None:
    """Ask for real-time scheduling of this process, else for a better place in the queue; it goes on without either."""
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
