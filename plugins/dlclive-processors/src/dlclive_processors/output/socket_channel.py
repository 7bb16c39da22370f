"""The connection of a session and its heartbeat process through a local TCP socket. Standard library only.

The end of the connection reveals that the other side is dead. The process connects to the session, and proves with a secret
that it is the one that the session started: any user of a computer can connect to its local ports.
"""

from __future__ import annotations

import contextlib
import io
import secrets
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

from dlclive_processors.output.channel import ProcessChannel, SessionChannel
from dlclive_processors.output.descriptors import is_open
from dlclive_processors.output.lease import LEASE_SIZE, REPORT_SIZE

_HOST = "127.0.0.1"
_SECRET = 32  # bytes
_CONNECT = 30.0  # seconds for the process to start and connect, also on a busy computer
_LINGER = 1.0  # seconds in which the session reads the last report
_STDERR = 2

# A group of its own, so that Ctrl-C reaches only the session; elsewhere, a process session does that.
if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _CREATION_FLAGS = 0


class SocketSessionChannel(SessionChannel):
    """The session's end."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._received = b""

    def start(self, command: list[str], events: io.FileIO | None) -> subprocess.Popen[bytes]:
        secret = secrets.token_bytes(_SECRET)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            if sys.platform == "win32":  # no other program may take the port over
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            listener.bind((_HOST, 0))
            listener.listen(8)
            process = subprocess.Popen(
                [
                    *command,
                    f"--connect={listener.getsockname()[1]}",
                    *([] if events is None else [f"--events-file={Path(events.name).absolute()}"]),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=None if is_open(_STDERR) else subprocess.DEVNULL,
                start_new_session=True,
                creationflags=_CREATION_FLAGS,
            )
            try:
                assert process.stdin is not None
                with contextlib.suppress(OSError), process.stdin:  # it may have ended already
                    process.stdin.write(secret)
                self._socket = _accept(listener, secret, process)
            except BaseException:
                process.kill()
                process.wait()
                raise
        self.ended = self._socket is None
        return process

    def send(self, record: bytes, *, urgent: bool) -> bool:
        if self._socket is None:
            return False
        try:
            sent = self._socket.send(record)
        except OSError:  # full, because the process hangs; or it has ended
            return False
        if sent != len(record):  # what follows would be taken for something else
            self.hang_up()
            return False
        return True

    def receive(self, timeout: float) -> bytes:
        if self._socket is None:
            return b""
        if timeout and len(self._received) < REPORT_SIZE:
            _wait(self._socket, timeout)
        while not self.ended:  # to the end, which is behind the last report
            try:
                data = self._socket.recv(REPORT_SIZE * 2000)
            except BlockingIOError:
                break
            except OSError:  # the process was killed
                data = b""
            self.ended = not data
            self._received += data
        whole = len(self._received) // REPORT_SIZE * REPORT_SIZE
        reports, self._received = self._received[:whole], self._received[whole:]
        return reports

    def hang_up(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


class SocketProcessChannel(ProcessChannel):
    """The process's end. Connects to the session's port; the secret is standard input."""

    def __init__(self, port: int) -> None:
        secret = sys.stdin.buffer.read(_SECRET)
        self._socket = socket.create_connection((_HOST, port), timeout=_CONNECT)
        self._socket.sendall(secret)
        _set_up(self._socket)
        self.descriptor = self._socket.fileno()
        self._received = self._unsent = b""
        self._ended = False

    def wake(self) -> bool:
        self._receive()
        return not self._ended

    def read(self) -> bytes | None:
        self._receive()
        whole = len(self._received) // LEASE_SIZE * LEASE_SIZE
        leases, self._received = self._received[:whole], self._received[whole:]
        return leases or (b"" if self._ended else None)

    def write(self, record: bytes) -> None:
        try:
            if self._unsent:  # the rest of a report must come before the next
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
            if not self._unsent:
                self._unsent = record[self._socket.send(record) :]
        except OSError:  # the session does not read or is dead: its end of the connection tells
            return

    def close(self) -> None:
        """Windows discards what was sent if a socket is closed before it was read to its end."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        until = time.perf_counter() + _LINGER
        while not self._ended and (remaining := until - time.perf_counter()) > 0:
            _wait(self._socket, remaining)
            self._receive()
            self._received = b""
        self._socket.close()

    def _receive(self) -> None:
        if self._ended:
            return
        try:
            data = self._socket.recv(LEASE_SIZE * 1000)
        except BlockingIOError:
            return
        except OSError:  # the session was killed
            data = b""
        self._ended = not data
        self._received += data


def _accept(listener: socket.socket, secret: bytes, process: subprocess.Popen[bytes]) -> socket.socket | None:
    """The connection of our own process; None if it has ended. Raises TimeoutError."""
    until = time.perf_counter() + _CONNECT
    while time.perf_counter() < until:
        if not _wait(listener, 0.05):
            if process.poll() is not None:
                return None
            continue
        connection, _ = listener.accept()
        try:
            if secrets.compare_digest(_received_secret(connection), secret):
                _set_up(connection)
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
    raise TimeoutError("the heartbeat process did not connect")


def _received_secret(connection: socket.socket) -> bytes:
    """What another program sends first, at most as long as the secret."""
    connection.settimeout(1.0)
    received = b""
    with contextlib.suppress(OSError):
        while len(received) < _SECRET and (data := connection.recv(_SECRET - len(received))):
            received += data
    return received


def _set_up(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)


def _wait(waiting: socket.socket, timeout: float) -> bool:
    """Whether something has come within `timeout` seconds."""
    if sys.platform == "win32":  # it has no `poll`, and its `select` takes sockets of any number
        return bool(select.select([waiting], [], [], timeout)[0])
    else:
        available = select.poll()  # `select.select` takes no descriptor above 1,023
        available.register(waiting, select.POLLIN)
        return bool(available.poll(1e3 * timeout))
