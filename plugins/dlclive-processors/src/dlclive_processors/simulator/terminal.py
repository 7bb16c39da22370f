"""A device behind a pseudo-terminal, with the faults of a serial line. Not on Windows, which has none."""

from __future__ import annotations

import errno
import mmap
import os
import pty
import random
import select
import sys
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from dlclive_processors.output.priority import request_realtime_priority
from dlclive_processors.output.protocol import CLOCK
from dlclive_processors.simulator.faulty_line import FaultyLine

assert sys.platform != "win32"

_TICK = 0.0005  # seconds between updates of the pulses
_STALL = 0.01  # seconds; a real device never stalls for that long


class AnyDevice(Protocol):
    """The interface of `Device`, `CompiledDevice` and `ChipDevice`."""

    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def tick(self, now: int) -> None: ...
    def receive(self, data: bytes, now: int) -> bytes: ...
    @property
    def levels(self) -> int: ...


class Terminal:
    """Gives a device a port, and records the levels of its outputs.

    The device's clock stops while the computer does not run this process or its kernel does not pass on bytes in transit
    (`select` waits for that). A real device would have received those bytes in time; without this, its watchdog would trip
    before they are read. The record's clock does not stop: it shows when things happened.

    Args:
        device: the state machine.
        record: CSV file `time,levels`, a line for each change of a level: time is the host's `time.perf_counter()` in
            seconds, the same clock in all processes of a computer; levels has one bit per channel.
        commands: descriptor to read faults from, one a line; see `FaultyLine.command`. Also "restart" (the device loses
            power for a moment) and "unplug" (the port is gone for good).
        until_end: stop when the commands end.
        show: called with the levels at each change; must return at once.
        light: file of one byte, 1 while `light_channel` is high and else 0, for a picture in which it is an LED.
    """

    def __init__(
        self,
        device: AnyDevice,
        record: Path | None = None,
        commands: int | None = None,
        *,
        until_end: bool = False,
        show: Callable[[int], None] | None = None,
        light: Path | None = None,
        light_channel: int = 1,
    ) -> None:
        self._device = device
        self._show = show
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        os.close(slave)  # to detect whether a host has the port open
        os.set_blocking(self._master, False)
        self._record = record.open("w", buffering=1, encoding="ascii") if record is not None else None
        self._write_record("time,levels")
        self._light = None if light is None else _mapped(light)
        self._light_channel = light_channel
        self._commands, self._until_end = commands, until_end
        self._line = FaultyLine(random.Random(1))  # noqa: S311 - noise, not secrets
        self._connected = False
        self._plugged = True
        self._levels = 0
        self._clocked = time.perf_counter()
        self._elapsed = 0.0

    def run(self) -> None:
        """Run until the port is unplugged, or until "stop" or, with `until_end`, the end of the commands."""
        request_realtime_priority()  # a real device has its own processor
        while self._plugged:
            watched = [self._master] if self._connected else []
            if self._commands is not None:
                watched.append(self._commands)
            ready, _, _ = select.select(watched, [], [], _TICK if self._connected else 0.005)
            if self._commands is not None and self._commands in ready:
                self._read_commands(os.read(self._commands, 4096))
            if self._plugged:
                self._step()

    def _step(self) -> None:
        data = self._read()
        answers = b""
        for piece in self._line.to_device(data, time.perf_counter()):
            answers += self._device.receive(piece, self._clock())
            self._record_levels()
        now = self._clock()
        self._device.tick(now)
        answers += self._device.receive(b"", now)  # a board with a line of its own answers later
        self._record_levels()
        for piece in self._line.to_host(answers, time.perf_counter()):
            self._write(piece)

    def _clock(self) -> int:
        now = time.perf_counter()
        step = now - self._clocked
        self._clocked = now
        self._elapsed += _TICK if step > _STALL else step
        return int(self._elapsed * 1e6) % CLOCK

    def _read(self) -> bytes:
        try:
            data = os.read(self._master, 4096)
        except BlockingIOError:
            data = b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            if self._connected:  # the host closed the port
                self._connected = False
                self._device.disconnect()
                self._line.clear()
            return b""
        if not self._connected:
            self._connected = True
            self._device.connect()
        return data

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._master, data)
        except (BlockingIOError, OSError):  # a host that does not read must not block the device
            return

    def _record_levels(self) -> None:
        if self._device.levels != self._levels:
            self._levels = self._device.levels
            if self._light is not None:
                self._light[0] = self._levels >> self._light_channel & 1
            self._write_record(f"{time.perf_counter():.6f},{self._levels}")
            if self._show is not None:
                self._show(self._levels)

    def _write_record(self, line: str) -> None:
        if self._record is not None:
            self._record.write(line + "\n")

    def _read_commands(self, data: bytes) -> None:
        if not data:  # the other end has closed
            self._commands = None
            self._plugged = not self._until_end
        for line in data.decode().splitlines():
            self._command(line.split())

    def _command(self, arguments: list[str]) -> None:
        if arguments == ["unplug"]:
            os.close(self._master)
            self._plugged = False
            self._device.connect()
            self._record_levels()
        elif arguments == ["restart"]:
            self._device.connect()
        elif arguments == ["stop"]:
            self._plugged = False
        elif arguments:
            self._line.command(arguments)


def _mapped(path: Path) -> mmap.mmap:
    """A file of one byte, 0, in memory that other processes can map, too."""
    with path.open("r+b" if path.exists() else "w+b") as file:  # another process may have mapped it already
        file.write(b"\0")
        file.flush()
        return mmap.mmap(file.fileno(), 1)
