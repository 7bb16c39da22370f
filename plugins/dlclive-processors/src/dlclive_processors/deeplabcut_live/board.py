"""A board on a serial port that is told single bytes and answers some of them."""

from __future__ import annotations

import threading
from typing import Any

from dlclive_core import DependencyError, OutputError, UsageError

_WRITE = 0.2  # seconds; a board that does not take a few bytes in that time has failed


class Board:
    """An open serial port. No method waits longer than `timeout`, or 0.2 s to write.

    Args:
        port: for example "/dev/ttyACM0" or "COM3".
        baudrate: bits per second.
        timeout: seconds to wait for an answer.

    Raises:
        DependencyError: pyserial is not installed.
        OutputError: the port cannot be opened.
    """

    def __init__(self, port: str, baudrate: int, timeout: float) -> None:
        try:
            import serial  # type: ignore[import-untyped]
        except ImportError:
            raise DependencyError("boards on serial ports need pyserial; run: pip install pyserial") from None
        self.port = port
        self._lock = threading.Lock()  # a session that abandons a processor closes it from another thread
        self._line: Any = None
        try:
            self._line = serial.Serial(port, baudrate, timeout=timeout, write_timeout=_WRITE, exclusive=True)
        except ValueError as error:
            raise UsageError(f"port {port} cannot be opened at {baudrate} baud: {error}") from None
        except Exception as error:  # termios.error is no OSError
            text = " ".join(str(error).split())
            raise OutputError(
                f"port {port} cannot be opened: {text}; choose a port that exists and is not open elsewhere"
            ) from None

    def send(self, data: bytes) -> None:
        """Write some bytes. Raises OutputError if the port is gone or does not take them."""
        with self._lock:
            self._call("write", data)

    def ask(self, data: bytes) -> bytes:
        """Forget what has come, write, and return the byte that comes as an answer, b"" if none comes. Raises OutputError."""
        with self._lock:
            self._call("reset_input_buffer")
            self._call("write", data)
            return bytes(self._call("read", 1))

    def received(self) -> bytes:
        """What has come, without waiting. Raises OutputError."""
        with self._lock:
            try:
                waiting = self._line.in_waiting if self._line is not None else 0
            except Exception as error:
                raise self._gone(error) from error
            return bytes(self._call("read", waiting)) if waiting else b""

    def close(self, last: bytes = b"") -> None:
        """Write some last bytes and close the port. Safe to call twice. Raises OutputError if they cannot be written."""
        with self._lock:
            line = self._line
            try:
                if line is not None and last:
                    self._call("write", last)
            finally:
                self._line = None
                if line is not None:
                    line.close()

    def _call(self, method: str, *arguments: Any) -> Any:
        if self._line is None:
            raise OutputError(f"port {self.port} is closed")
        try:
            return getattr(self._line, method)(*arguments)
        except Exception as error:  # pyserial raises TypeError, too, when a port goes away
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> OutputError:
        text = " ".join(str(error).split())
        return OutputError(f"port {self.port} does not respond any more ({text}); plug the board in and start again")
