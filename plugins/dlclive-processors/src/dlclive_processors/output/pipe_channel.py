"""The connection of a session and its heartbeat process through pipes. Standard library only; not on Windows.

The end of a pipe reveals that the other side is dead, and writes this small are atomic. Leases have a pipe of their own,
which is read at each beat; a byte in the third pipe wakes the process, which is not done at every frame: that would take
processor time from the session.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import subprocess
import sys

from dlclive_processors.output.channel import ProcessChannel, SessionChannel
from dlclive_processors.output.descriptors import above_standard, is_open, pipe
from dlclive_processors.output.lease import LEASE_SIZE, REPORT_SIZE

assert sys.platform != "win32"

_STDERR = 2
_LEASES, _REPORTS = 0, 1  # in the process, two pipes are standard input and standard output


class PipeSessionChannel(SessionChannel):
    """The session's ends of three pipes."""

    def __init__(self) -> None:
        self._theirs: list[int] = []
        leases, self._leases = pipe()
        self._reports, reports = pipe()
        woken, self._wake = pipe()
        self._theirs = [leases, reports, woken]
        for descriptor in (self._leases, self._reports, self._wake):
            os.set_blocking(descriptor, False)

    def start(self, command: list[str], events: io.FileIO | None) -> subprocess.Popen[bytes]:
        leases, reports, woken = self._theirs
        file = None
        try:
            if events is not None:
                file = above_standard(os.dup(events.fileno()))
            # A process session of its own, so that Ctrl-C and Ctrl-Z in the terminal reach only the dlclive session.
            return subprocess.Popen(
                [*command, f"--wake={woken}", *([] if file is None else [f"--events={file}"])],
                stdin=leases,
                stdout=reports,
                # Without one, the port would be opened as descriptor 2, and a message would be written to the device.
                stderr=None if is_open(_STDERR) else subprocess.DEVNULL,
                pass_fds=(woken,) if file is None else (woken, file),
                start_new_session=True,
            )
        finally:
            for descriptor in self._theirs:
                os.close(descriptor)
            self._theirs = []
            if file is not None:
                os.close(file)

    def send(self, record: bytes, *, urgent: bool) -> bool:
        try:
            os.write(self._leases, record)
            if urgent:
                os.write(self._wake, b"!")
        except (BlockingIOError, BrokenPipeError):
            return False
        return True

    def receive(self, timeout: float) -> bytes:
        if timeout:
            available = select.poll()  # `select.select` takes no descriptor above 1,023
            available.register(self._reports, select.POLLIN)
            available.poll(1e3 * timeout)
        try:
            data = os.read(self._reports, REPORT_SIZE * 2000)
        except BlockingIOError:
            return b""
        self.ended = self.ended or not data
        return data

    def hang_up(self) -> None:
        for descriptor in (self._leases, self._wake):
            os.close(descriptor)
        self._leases = self._wake = -1

    def close(self) -> None:
        for descriptor in (self._leases, self._wake, self._reports, *self._theirs):
            if descriptor >= 0:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self._leases = self._wake = self._reports = -1
        self._theirs = []


class PipeProcessChannel(ProcessChannel):
    """The process's ends. `wake` is the inherited descriptor of the third pipe."""

    def __init__(self, wake: int) -> None:
        # Inherited descriptors keep their numbers, and `select` takes none above 1,023.
        self.descriptor = os.dup(wake)
        os.close(wake)
        for descriptor in (_LEASES, _REPORTS, self.descriptor):
            os.set_blocking(descriptor, False)

    def wake(self) -> bool:
        return bool(os.read(self.descriptor, 64))

    def read(self) -> bytes | None:
        try:
            return os.read(_LEASES, LEASE_SIZE * 1000)
        except BlockingIOError:
            return None

    def write(self, record: bytes) -> None:
        with contextlib.suppress(OSError):  # the session does not read or is dead: the end of the other pipe tells
            os.write(_REPORTS, record)

    def close(self) -> None:
        """The session reads the last report from the pipe even after this process has ended."""
