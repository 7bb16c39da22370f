"""`python -m dlclive_processors.simulator`: prints the port and what its outputs do, until it is stopped."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from dlclive_processors.output.protocol import Limits
from dlclive_processors.simulator.chip import ChipDevice
from dlclive_processors.simulator.compiled import CompiledDevice
from dlclive_processors.simulator.device import Device
from dlclive_processors.simulator.level_printer import LevelPrinter


def main() -> None:
    """Parse the options and run the device."""
    defaults = Limits()
    parser = argparse.ArgumentParser(prog="python -m dlclive_processors.simulator", description=__doc__)
    parser.add_argument("--channels", type=int, default=defaults.channels)
    parser.add_argument("--watchdog", type=float, default=defaults.watchdog_us / 1e6, help="seconds")
    parser.add_argument(
        "--pulse", type=float, default=defaults.pulse_us / 1e6, help="longest continuous time on, seconds"
    )
    parser.add_argument("--train", type=float, default=defaults.train_us / 1e6, help="longest train of pulses, seconds")
    parser.add_argument("--duty", type=float, default=defaults.duty_permille / 1e3, help="largest duty cycle, 0 to 1")
    parser.add_argument("--record", type=Path, help="CSV file of output levels over time, in the host's perf_counter")
    parser.add_argument("--firmware", type=Path, help="library built by compile_firmware, to run instead of Python")
    parser.add_argument(
        "--chip", nargs="+", help="command line from chip_command, to run the firmware on its processor"
    )
    parser.add_argument("--light", type=Path, help="file whose byte is 1 while an LED is on, for a rendered picture")
    parser.add_argument("--light-channel", type=int, default=1)
    parser.add_argument("--until-end", action="store_true", help="stop when standard input, which accepts faults, ends")
    options = parser.parse_args()
    limits = Limits(
        options.channels,
        round(options.watchdog * 1e6),
        round(options.pulse * 1e6),
        round(options.train * 1e6),
        round(options.duty * 1e3),
    )
    device: Device | CompiledDevice | ChipDevice = Device(limits)
    if options.firmware:
        device = CompiledDevice(options.firmware, limits)
    elif options.chip:
        device = ChipDevice(options.chip)
    if sys.platform == "win32":
        raise SystemExit("the simulator needs Linux or macOS: Windows has no pseudo-terminals; use a board")
    else:
        from dlclive_processors.simulator.terminal import Terminal

        printer = None if options.until_end else LevelPrinter(sys.stdout)
        terminal = Terminal(
            device,
            options.record,
            commands=sys.stdin.fileno(),
            until_end=options.until_end,
            show=None if printer is None else printer.show,
            light=options.light,
            light_channel=options.light_channel,
        )
        print(terminal.port, flush=True)  # noqa: T201 - the purpose of this command
        with contextlib.suppress(KeyboardInterrupt):
            terminal.run()


if __name__ == "__main__":
    main()
