"""The session's end of the heartbeat process."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
import weakref

from dlclive_processors.output.lease import Lease, Report, read_reports
from dlclive_processors.output.platform_channel import session_channel

# The process gets the session's sys.path. -S: skip the start-up files of site-packages, which can import anything. -I:
# import nothing from the working directory.
_PROGRAM = "import sys; sys.path[:] = {path!r}; from dlclive_processors.output.heartbeat_main import main; main()"


class HeartbeatProcess:
    """Starts the process, writes leases and reads reports.

    It belongs to the process that started it. In a forked child its connection is closed, so that the child neither renews a
    lease nor hides the death of its parent.

    Args:
        arguments: of its command line.
        events: the events file, which the process appends to.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, arguments: list[str], events: io.FileIO | None) -> None:
        program = _PROGRAM.format(path=[path for path in sys.path if path])
        command = [sys.executable, "-I", "-S", "-c", program, *arguments, f"--session={os.getpid()}"]
        self._channel = session_channel()
        try:
            self._process = self._channel.start(command, events)
        except BaseException:
            self._channel.close()
            raise
        self.is_inherited = False
        _started.add(self)

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether no more reports can come."""
        return self.is_inherited or self._channel.ended

    def write(self, lease: Lease, *, urgent: bool) -> bool:
        """Send a lease; False if the process no longer reads. Without `urgent`, it is read at the next beat."""
        return self._channel.send(lease.pack(), urgent=urgent)

    def read(self, timeout: float) -> list[Report]:
        """Return the reports that are available within `timeout` seconds; `ended` is then True if no more can come."""
        return read_reports(self._channel.receive(timeout))

    def end(self, within: float) -> Report | None:
        """Let the process end, kill it after `within` seconds, and return its last report."""
        _started.discard(self)
        self._channel.hang_up()
        last, until = None, time.perf_counter() + within
        while not self.ended and time.perf_counter() < until:
            reports = self.read(0.05)
            last = reports[-1] if reports else last
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.1, until - time.perf_counter()))
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._channel.close()
        return last

    def disown(self) -> None:
        """In a forked child: close the connection, which is the parent's. The process itself is left alone."""
        self.is_inherited = True
        self._channel.close()
        self._process.returncode = 0  # it is not the child's to wait for


_started: weakref.WeakSet[HeartbeatProcess] = weakref.WeakSet()


def _disown_all() -> None:
    for process in tuple(_started):
        process.disown()
    _started.clear()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_disown_all)
