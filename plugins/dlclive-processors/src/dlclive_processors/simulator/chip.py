"""The firmware on the processor of an Arduino, simulated cycle by cycle: the same methods as `Device`."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from dlclive_processors.output.protocol import CLOCK
from dlclive_processors.simulator.arduino import Board

CYCLES = 16
"""Of the processor, in a microsecond."""


def chip_command(host: Path, sketch: Path, board: Board, record: Path, baud: int = 115200) -> list[str]:
    """The command line of the program built by `build_host`.

    Args:
        host: that program.
        sketch: the program built by `build_sketch`.
        record: file for what happens, in the processor's own time; read it with `ChipRecord`.
        baud: of the bytes that arrive.
    """
    return [str(host), str(sketch), board.processor, str(baud), str(record), *board.pins]


class ChipDevice:
    """An Arduino. What it is told arrives at its serial port at the baud rate, and so do its answers: later.

    Args:
        command: from `chip_command`.

    Raises:
        OSError: the program cannot be started, or has ended.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self._target = self._now = 0
        self._sent = b""
        self.levels = 0
        """One bit per channel, set while its pin is high."""
        self.cycle = 0
        """Of the processor, since power-up."""

    def close(self) -> None:
        """Switch the power off."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def connect(self) -> None:
        """The host opens the port: the board restarts."""
        self._request("reset")
        self._sent = b""

    def disconnect(self) -> None:
        """The host closes the port: the board does not notice."""

    def tick(self, now: int) -> None:
        """Run until this time, in microseconds modulo 2^32. The sketch's own clock begins anew at each restart."""
        self._target += CYCLES * ((now - self._now) % CLOCK)
        self._now = now
        self._request(f"{self._target} -")

    def receive(self, data: bytes, now: int) -> bytes:
        """Bytes that arrive from this time on; returns what the sketch has sent since the last call."""
        self.tick(now)
        if data:
            self._request(f"{self._target} {data.hex()}")
        sent, self._sent = self._sent, b""
        return sent

    def _request(self, line: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        answer = self._process.stdout.readline().split()
        if len(answer) != 3:
            raise OSError(f"the simulated processor has ended, with code {self._process.wait()}")
        self.cycle, self.levels = int(answer[0]), int(answer[1])
        self._sent += bytes.fromhex(answer[2].replace("-", ""))
