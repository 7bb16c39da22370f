"""The serial line through pyserial, read by a thread. Standard library and pyserial only."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from queue import Empty, SimpleQueue

from dlclive_processors.output.channel import Line

_READ = 0.1  # seconds for which the thread waits for a byte: it ends no later after `close`
_WRITE = 0.02  # seconds; a device that takes longer for some 20 bytes has failed, and the loop must go on


class ThreadedLine(Line):
    """Opens a port; a thread waits for its data, because Windows' `select` takes no ports.

    Writing waits for the port, for at most `_WRITE` seconds: pyserial's other way on Windows gives the system memory that
    Python may reuse before it has been sent.

    Raises:
        OSError: it cannot be opened. ValueError: pyserial takes no such port or speed.
    """

    def __init__(self, port: str, baud: int) -> None:
        import serial  # type: ignore[import-untyped]  # here, so that the rest of the package does not need it

        self._too_slow: type[OSError] = serial.SerialTimeoutException
        try:
            self._port = serial.Serial(port, baud, timeout=_READ, write_timeout=_WRITE, exclusive=True)
        except (OSError, ValueError):
            raise
        except Exception as error:  # termios.error, which is no OSError
            number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
            raise OSError(number, str(error)) from None
        self._received: SimpleQueue[bytes | OSError] = SimpleQueue()
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self.descriptor = self._woken.fileno()
        self._closed = False
        self._thread = threading.Thread(target=self._receive, name="dlclive serial line", daemon=True)
        self._thread.start()

    def has_data(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        return not self._received.empty()

    def read(self) -> bytes:
        data = b""
        with contextlib.suppress(Empty):
            while True:
                piece = self._received.get_nowait()
                if isinstance(piece, OSError):
                    raise piece
                data += piece
        return data

    def write(self, data: bytes) -> None:
        with contextlib.suppress(self._too_slow):
            self._port.write(data)

    def close(self) -> None:
        self._closed = True
        self._thread.join(2 * _READ)
        with contextlib.suppress(OSError):
            self._port.close()
        for end in (self._woken, self._waker):
            end.close()

    def _receive(self) -> None:
        while not self._closed:
            try:
                data = self._port.read(1)
                if not data:
                    continue
                data += self._port.read(min(self._port.in_waiting, 4095))
            except Exception as error:  # pyserial raises TypeError, too, when a port goes away
                number = getattr(error, "errno", None) or 5
                self._put(OSError(number, os.strerror(number)))
                return
            self._put(data)

    def _put(self, piece: bytes | OSError) -> None:
        self._received.put(piece)
        with contextlib.suppress(OSError):  # full: it is awake; closed: nobody waits
            self._waker.send(b"!")
