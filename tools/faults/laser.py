"""The rows of the table about outputs that must be switched off."""

from __future__ import annotations

import os
from importlib.util import find_spec

from tools.faults.row import Row

OWN_FAULTS = ("hang", "model hangs", "stall", "exception", "end")
SIGNALS = ("SIGKILL", "SIGSTOP", "SIGSEGV", "SIGSTOP of the heartbeat, too")
FAULTS = (*SIGNALS, *OWN_FAULTS)


def _cannot(fault: str) -> Row | None:
    if os.name == "posix" and find_spec("serial") is not None:
        return None
    return Row(fault, "", "", "not tried: needs POSIX and pyserial", 0, True)


def laser(fault: str, runs: int) -> Row:
    """Sessions that die or hang while the laser is on."""
    name, bound = f"{fault}, laser on", "off <= 100 ms, on the device's own record"
    if missing := _cannot(name):
        return missing
    from tools.faults.outputs import off_times

    times = off_times(fault, runs)
    middle = sorted(times.seconds)[len(times.seconds) // 2]
    injected = "a signal at a random moment" if fault in SIGNALS else "in the session's own process"
    measured = f"off within 100 ms: {times.in_time} of {len(times.seconds)}; "
    measured += f"median {1e3 * middle:.0f} ms, longest {1e3 * times.worst:.0f} ms"
    in_time = times.in_time == len(times.seconds)
    return Row(name, injected, bound, measured, len(times.seconds), True, in_time)


def at_rest(seconds: float) -> Row:
    """The watchdog does not trip during an idle run."""
    name = f"no fault, for {seconds:.0f} s"
    if missing := _cannot(name):
        return missing
    from tools.faults.outputs import idle

    rest = idle(seconds)
    measured = f"{rest.trips} trips; the computer itself stalled {rest.stalls} times, "
    measured += f"{1e3 * rest.longest_stall:.0f} ms at most"
    bound = "no trip of the watchdog"
    return Row(name, "an idle output", bound, measured, 1, True, rest.trips == 0)
