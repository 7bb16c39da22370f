"""Outputs that must go off, as rows of the table."""

from __future__ import annotations

import os
from importlib.util import find_spec

from faults.row import Row


def laser(runs: int, idle_seconds: float) -> list[Row]:
    """Processes killed and hanging with the laser on, and an idle run."""
    if os.name != "posix" or find_spec("serial") is None:
        return [
            Row("laser on when something dies", "", "off <= 100 ms", "not tried: needs POSIX and pyserial", 0, True)
        ]
    from faults.outputs import OWN_FAULTS, SIGNALS, idle, off_times

    rows = []
    for fault in (*SIGNALS, *OWN_FAULTS):
        times = off_times(fault, runs)
        middle = sorted(times.seconds)[len(times.seconds) // 2]
        how = "a signal, at a random moment" if fault in SIGNALS else "in the session's own process"
        measured = f"off within 100 ms: {times.in_time} of {len(times.seconds)}; "
        measured += f"median {1e3 * middle:.0f} ms, longest {1e3 * times.worst:.0f} ms"
        rows.append(
            Row(
                f"{fault}, laser on",
                how,
                "off <= 100 ms, on the device's own record",
                measured,
                len(times.seconds),
                times.in_time == len(times.seconds),
                True,
            )
        )
    rest = idle(idle_seconds)
    measured = f"{rest.trips} trips; the computer itself stood still {rest.stalls} times, "
    measured += f"at most {1e3 * rest.longest_stall:.0f} ms"
    rows.append(
        Row(
            f"nothing, for {rest.seconds:.0f} s",
            "an idle output",
            "no trip of the watchdog but where the computer stood still",
            measured,
            1,
            rest.trips <= rest.stalls,
            True,
        )
    )
    return rows
