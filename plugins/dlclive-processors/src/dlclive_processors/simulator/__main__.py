"""`python -m dlclive_processors.simulator`: prints the port, and runs until it is stopped."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from dlclive_processors.output.protocol import Limits
from dlclive_processors.simulator.compiled import CompiledDevice
from dlclive_processors.simulator.device import Device
from dlclive_processors.simulator.terminal import Terminal


def main() -> None:
    """Read the options, make the device, run it."""
    usual = Limits()
    parser = argparse.ArgumentParser(prog="python -m dlclive_processors.simulator", description=__doc__)
    parser.add_argument("--channels", type=int, default=usual.channels)
    parser.add_argument("--watchdog", type=float, default=usual.watchdog_us / 1e6, help="seconds")
    parser.add_argument("--pulse", type=float, default=usual.pulse_us / 1e6, help="seconds on without a break")
    parser.add_argument("--train", type=float, default=usual.train_us / 1e6, help="seconds of one train of pulses")
    parser.add_argument("--duty", type=float, default=usual.duty_permille / 1e3, help="share of the time on")
    parser.add_argument("--record", type=Path, help="CSV file: when which outputs were on, in the host's perf_counter")
    parser.add_argument("--firmware", type=Path, help="library made by compile_firmware, to run in place of Python")
    parser.add_argument(
        "--until-end", action="store_true", help="stop when the standard input, which takes faults, ends"
    )
    given = parser.parse_args()
    limits = Limits(
        given.channels,
        round(given.watchdog * 1e6),
        round(given.pulse * 1e6),
        round(given.train * 1e6),
        round(given.duty * 1e3),
    )
    device = CompiledDevice(given.firmware, limits) if given.firmware else Device(limits)
    terminal = Terminal(device, given.record, commands=sys.stdin.fileno(), until_end=given.until_end)
    print(terminal.port, flush=True)  # noqa: T201 - this is what it is for
    with contextlib.suppress(KeyboardInterrupt):
        terminal.run()


if __name__ == "__main__":
    main()
