"""The serial line by its descriptor. Standard library and pyserial only; not on Windows."""

from __future__ import annotations

import contextlib
import os
import sys
import termios

from dlclive_processors.output.channel import Line
from dlclive_processors.output.serial_poll import SerialPoll

assert sys.platform != "win32"


class DescriptorLine(Line):
    """Opens a port, and reads and writes its descriptor without blocking.

    Raises:
        OSError: it cannot be opened. ValueError: pyserial takes no such port or speed.
    """

    def __init__(self, port: str, baud: int) -> None:
        import serial  # type: ignore[import-untyped]  # here, so that the rest of the package does not need it

        try:
            self._port = serial.Serial(port, baud, timeout=0, write_timeout=0, exclusive=True)
        except termios.error as error:
            raise OSError(error.args[0], os.strerror(error.args[0])) from None
        self._number: int = self._port.fileno()
        self._poll = SerialPoll(self._number)
        self.descriptor = self._poll.descriptor

    def has_data(self) -> bool:
        return self._poll.has_data()

    def read(self) -> bytes:
        data = os.read(self._number, 4096)
        if not data:
            raise OSError(5, os.strerror(5))
        return data

    def write(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._number, data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._port.close()
