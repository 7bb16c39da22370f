"""The session's end of the heartbeat process."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
import weakref

from dlclive_processors.output.descriptors import is_open, pipe
from dlclive_processors.output.lease import REPORT_SIZE, Lease, Report, read_reports

# The process gets the session's sys.path. -S: skip the start-up files of site-packages, which can import anything. -I:
# import nothing from the working directory.
_PROGRAM = "import sys; sys.path[:] = {path!r}; from dlclive_processors.output.heartbeat_main import main; main()"
_STDERR = 2


class HeartbeatProcess:
    """Starts the process, writes leases and reads reports.

    It belongs to the process that started it. In a forked child its pipes are closed, so that the child neither renews a
    lease nor hides the death of its parent.

    Args:
        arguments: of its command line.
        events: descriptor of the events file, above 2, which the process inherits.
    """

    def __init__(self, arguments: list[str], events: int | None) -> None:
        program = _PROGRAM.format(path=[path for path in sys.path if path])
        leases, self._leases = pipe()
        self._reports, reports = pipe()
        woken, self._wake = pipe()
        inherited = (woken,) if events is None else (woken, events)
        command = [sys.executable, "-I", "-S", "-c", program, *arguments, f"--wake={woken}", f"--session={os.getpid()}"]
        command += [] if events is None else [f"--events={events}"]
        try:
            # A process session of its own, so that Ctrl-C and Ctrl-Z in the terminal reach only the dlclive session.
            self._process = subprocess.Popen(
                command,
                stdin=leases,
                stdout=reports,
                # Without one, the port would be opened as descriptor 2, and a message would be written to the device.
                stderr=None if is_open(_STDERR) else subprocess.DEVNULL,
                pass_fds=inherited,
                start_new_session=True,
            )
        except BaseException:
            self._close_pipes()
            raise
        finally:
            for descriptor in (leases, reports, woken):
                os.close(descriptor)
        for descriptor in (self._leases, self._reports, self._wake):
            os.set_blocking(descriptor, False)
        self.ended = False
        self.is_inherited = False
        _started.add(self)

    @property
    def process_id(self) -> int:
        return self._process.pid

    def write(self, lease: Lease, *, urgent: bool) -> bool:
        """Send a lease; False if the process no longer reads. Without `urgent`, it is read at the next beat."""
        try:
            os.write(self._leases, lease.pack())
            if urgent:  # else let it sleep: waking it at every frame would take processor time from the session
                os.write(self._wake, b"!")
        except (BlockingIOError, BrokenPipeError):
            return False
        return True

    def read(self, timeout: float) -> list[Report]:
        """Return the reports that are available within `timeout` seconds; sets `ended` when no more can come."""
        if timeout:
            available = select.poll()  # `select.select` takes no descriptor above 1,023
            available.register(self._reports, select.POLLIN)
            available.poll(1e3 * timeout)
        try:
            data = os.read(self._reports, REPORT_SIZE * 2000)
        except BlockingIOError:
            return []
        self.ended = self.ended or not data
        return read_reports(data)

    def end(self, within: float) -> Report | None:
        """Let the process end, kill it after `within` seconds, and return its last report."""
        _started.discard(self)
        for descriptor in (self._leases, self._wake):
            os.close(descriptor)
        last, until = None, time.perf_counter() + within
        while not self.ended and time.perf_counter() < until:
            reports = self.read(0.05)
            last = reports[-1] if reports else last
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.1, until - time.perf_counter()))
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._reports)
        return last

    def disown(self) -> None:
        """In a forked child: close the pipes, which are the parent's. The process itself is left alone."""
        self.is_inherited = self.ended = True
        self._close_pipes()
        self._process.returncode = 0  # it is not the child's to wait for

    def _close_pipes(self) -> None:
        for descriptor in (self._leases, self._reports, self._wake):
            with contextlib.suppress(OSError):
                os.close(descriptor)


_started: weakref.WeakSet[HeartbeatProcess] = weakref.WeakSet()


def _disown_all() -> None:
    for process in tuple(_started):
        process.disown()
    _started.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown_all)
