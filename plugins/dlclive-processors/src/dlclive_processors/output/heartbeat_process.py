"""The session's end of the heartbeat process."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time

from dlclive_processors.output.lease import REPORT_SIZE, Lease, Report, read_reports

# The process gets the session's sys.path. -S: skip the start-up files of site-packages, which can import anything. -I:
# import nothing from the working directory.
_PROGRAM = "import sys; sys.path[:] = {path!r}; from dlclive_processors.output.heartbeat_main import main; main()"


class HeartbeatProcess:
    """Starts the process, writes leases and reads reports.

    Args:
        arguments: of its command line.
        events: descriptor of the events file, which the process inherits.
    """

    def __init__(self, arguments: list[str], events: int | None) -> None:
        program = _PROGRAM.format(path=[path for path in sys.path if path])
        woken, self._wake = os.pipe()
        command = [sys.executable, "-I", "-S", "-c", program, *arguments, f"--wake={woken}"]
        command += [] if events is None else [f"--events={events}"]
        inherited = (woken,) if events is None else (woken, events)
        # A process session of its own, so that Ctrl-C and Ctrl-Z in the terminal reach only the dlclive session.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            pass_fds=inherited,
            start_new_session=True,
        )
        os.close(woken)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._leases, self._reports = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._leases, False)
        os.set_blocking(self._reports, False)
        os.set_blocking(self._wake, False)
        self.ended = False

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
            select.select([self._reports], [], [], timeout)
        try:
            data = os.read(self._reports, REPORT_SIZE * 2000)
        except BlockingIOError:
            return []
        self.ended = self.ended or not data
        return read_reports(data)

    def end(self, within: float) -> Report | None:
        """Let the process end, kill it after `within` seconds, and return its last report."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        os.close(self._wake)
        last, until = None, time.perf_counter() + within
        while not self.ended and time.perf_counter() < until:
            reports = self.read(0.05)
            last = reports[-1] if reports else last
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.1, until - time.perf_counter()))
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        return last
