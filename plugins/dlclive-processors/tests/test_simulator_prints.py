"""What the simulator prints for a person who watches it: its port, then what each output does."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time

import pytest
from dlclive_processors.simulator.level_printer import LevelPrinter


def test_each_change_of_a_channel_is_a_line() -> None:
    stream = io.StringIO()
    printer = LevelPrinter(stream)
    for levels in (0b01, 0b11, 0b10, 0b00):
        printer.show(levels)
    until = time.perf_counter() + 10
    while stream.getvalue().count("\n") < 4 and time.perf_counter() < until:
        time.sleep(0.01)
    lines = [line.split("  ")[-1] for line in stream.getvalue().splitlines()]
    assert lines == ["channel 0 on", "channel 1 on", "channel 0 off", "channel 1 off"]


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals need a POSIX system")
def test_the_program_prints_what_an_output_does() -> None:
    pytest.importorskip("serial", reason="outputs need pyserial")
    from dlclive_processors import SerialOutput

    from dlclive_core import Reason

    command = [sys.executable, "-m", "dlclive_processors.simulator"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        try:
            output = SerialOutput(port=port, width=1, lifespan=1)
            output.open(time.perf_counter())
            output.renew(True, Reason.CONDITION, 0, 0.0)
            first = process.stdout.readline()
            output.close()
            second = process.stdout.readline()
        finally:
            process.kill()
    assert re.fullmatch(r" *\d+\.\d{3} s  channel 0 on\n", first)
    assert re.fullmatch(r" *\d+\.\d{3} s  channel 0 off\n", second)
