"""The heartbeat process, seen from the session."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time

from dlclive_processors.output.lease import REPORT_SIZE, Lease, Report, read_reports

# The path is handed over, and -S leaves site-packages' start-up files out: they can import anything. -I: nothing of the
# folder that the session was started in is imported.
_PROGRAM = "import sys; sys.path[:] = {path!r}; from dlclive_processors.output.heartbeat_main import main; main()"


class HeartbeatProcess:
    """Starts the process, writes leases, reads reports.

    Args:
        words: for its command line.
        events: descriptor of the file of events, which it inherits.
    """

    def __init__(self, words: list[str], events: int | None) -> None:
        program = _PROGRAM.format(path=[path for path in sys.path if path])
        woken, self._wake = os.pipe()
        command = [sys.executable, "-I", "-S", "-c", program, *words, f"--wake={woken}"]
        command += [] if events is None else [f"--events={events}"]
        inherited = (woken,) if events is None else (woken, events)
        # A session of its own, so that Ctrl-C and Ctrl-Z in the terminal reach only the one that can end in order.
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
        """Hand over a lease; False if the process no longer reads. One that is not urgent is read at the next beat."""
        try:
            os.write(self._leases, lease.pack())
            if urgent:  # else it sleeps on: being woken at every frame would cost the session its processor
                os.write(self._wake, b"!")
        except (BlockingIOError, BrokenPipeError):
            return False
        return True

    def read(self, timeout: float) -> list[Report]:
        """The reports that are there, or that come within some seconds; sets `ended` when there will be no more."""
        if timeout:
            select.select([self._reports], [], [], timeout)
        try:
            data = os.read(self._reports, REPORT_SIZE * 2000)
        except BlockingIOError:
            return []
        self.ended = self.ended or not data
        return read_reports(data)

    def end(self, within: float) -> Report | None:
        """Let the process end, kill it if it does not; return its last report."""
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
