"""The simulator in a process of its own, for tests and experiments."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from typing_extensions import Self


class Simulator:
    """Runs `python -m dlclive_processors.simulator` while the `with` block runs.

    Args:
        folder: for the record of the output levels.
        options: of its command line, for example "--watchdog=0.05".

    Attributes:
        port: to pass to `SerialOutput` or to the processor `stimulate`.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._record = folder / "simulator.csv"
        command = [sys.executable, "-m", "dlclive_processors.simulator", "--until-end"]
        command += [f"--record={self._record}", *options]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout is not None
        self.port = self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def fault(self, command: str) -> None:
        """Set or clear a fault: "noise 0.1", "half 0.1", "delay 0.2", "wrong-echo 1", "mute 1", "status 99",
        "restart", "unplug".
        """
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def changes(self) -> list[tuple[float, int]]:
        """(time, levels) of each change so far: time is `time.perf_counter()`, levels has one bit per channel."""
        lines = self._record.read_text(encoding="ascii").splitlines()[1:]
        return [(float(when), int(levels)) for when, levels in (line.split(",") for line in lines)]

    def is_on(self) -> bool:
        """Whether any output is on now."""
        changes = self.changes()
        return bool(changes and changes[-1][1])

    def wait(self, on: bool, timeout: float = 10.0) -> float:
        """Wait until an output is on, or all are off; return the time of that change. Raises TimeoutError."""
        until = time.perf_counter() + timeout
        while time.perf_counter() < until:
            changes = self.changes()
            if changes and bool(changes[-1][1]) == on:
                return changes[-1][0]
            time.sleep(0.002)
        raise TimeoutError(f"no output was switched {'on' if on else 'off'} within {timeout:g} s")
