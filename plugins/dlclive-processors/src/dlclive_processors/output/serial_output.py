"""An output on a serial port that is switched off when the host fails."""

from __future__ import annotations

import importlib.util
import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dlclive_core import DataError, DependencyError, OutputError, UsageError
from dlclive_processors.checks import check_number
from dlclive_processors.output.base import Output
from dlclive_processors.output.event_file import COLUMNS
from dlclive_processors.output.failure_messages import failure_error
from dlclive_processors.output.heartbeat_process import HeartbeatProcess
from dlclive_processors.output.lease import Lease, Reason, Report, ReportKind, Request
from dlclive_processors.output.protocol import Limits
from dlclive_processors.region_events import create_event_file

_log = logging.getLogger(__name__)

_WARNINGS = {
    ReportKind.REFUSED: "the device refused to switch on, because it was on too recently or its host seemed dead",
    ReportKind.LOST: "switching on was not acknowledged in time, so it was taken back",
    ReportKind.TRIPPED: "no beat reached the device in time, so its watchdog tripped; is the computer overloaded?",
    ReportKind.CUT: "the device cut a pulse short",
}
_SILENCE = 1.0  # seconds without a report after which the heartbeat process is not trusted


@dataclass(frozen=True, slots=True)
class LinkStatistics:
    """How the line to the device is doing, as of the last tenth of a second.

    Attributes:
        trips: how often the device's watchdog cut the output off since `open`.
        cuts: how often the device cut a pulse short.
        noise: pieces of the device's answers that could not be read.
        strange: answers to nothing that was waited for.
        round_trip: median time from a message to its answer, in seconds, of the last 200.
        longest_trip: the longest since `open`, in seconds.
    """

    trips: int = 0
    cuts: int = 0
    noise: int = 0
    strange: int = 0
    round_trip: float = 0.0
    longest_trip: float = 0.0


class SerialOutput(Output):
    """A channel of a device with dlclive's firmware, or of its simulator (`python -m dlclive_processors.simulator`).

    The device is on only while a heartbeat arrives, from a process of its own that owns the port. That process beats
    while it lives, and switches off when the last pose is older than `lifespan`, when this process dies, and in the
    end. So a crash, a kill or a hang of anything, on any side, leaves the output off within `lifespan` or the device's
    watchdog (50 ms as delivered), and a few milliseconds.

    Args:
        port: for example "/dev/ttyACM0".
        channel: of the device, from 0.
        width: length of a pulse in seconds.
        frequency: pulses per second; 0: one pulse.
        duration: of the train of pulses in seconds; it ends sooner when the output is switched off.
        lifespan: seconds without a pose after which the output is switched off; more than the longest time between two poses.
        patience: seconds to wait for the device; a board may restart when its port is opened.
        baud: bits per second; boards with a USB port of their own ignore it.
        events: CSV file with a line for each command and each thing that the device did by itself. The heartbeat
            process writes it, so it is whole also when this process was killed.
        overwrite: whether `events` may replace a file.

    Raises:
        UsageError: an option that cannot be, or that is beyond what the device allows (in `open`).
        DependencyError: pyserial is not installed.
        OutputError: the port or the device cannot be used (in `open`), or cannot be trusted any more (in `renew`).
        DataError: `events` cannot be written.
    """

    def __init__(
        self,
        *,
        port: str,
        channel: int = 0,
        width: float = 0.01,
        frequency: float = 0.0,
        duration: float = 1.0,
        lifespan: float = 0.07,
        patience: float = 3.0,
        baud: int = 115200,
        events: Path | None = None,
        overwrite: bool = False,
    ) -> None:
        self._port = port
        self._channel = int(check_number("stimulate", "channel", channel, least=0, most=7))
        self._width = check_number("stimulate", "width", width, least=1e-6, most=1000)
        self._frequency = check_number("stimulate", "frequency", frequency, least=0, most=1e5)
        self._duration = check_number("stimulate", "duration", duration, least=1e-6, most=1000)
        self._lifespan = check_number("stimulate", "lifespan", lifespan, least=0.005, most=1)
        self._patience = check_number("stimulate", "patience", patience, above=0, most=60)
        self._baud = int(check_number("stimulate", "baud", baud, least=300))
        if self._frequency and self._width * self._frequency > 1:
            raise UsageError(
                f"processor 'stimulate': pulses of {width:g} s do not fit {frequency:g} times into a second; "
                "give a smaller width or frequency"
            )
        if importlib.util.find_spec("serial") is None:
            raise DependencyError("a serial port needs pyserial; run: pip install 'dlclive-processors[serial]'")
        self._events = Path(events) if events is not None else None
        self._overwrite = overwrite
        self._process: HeartbeatProcess | None = None
        self._lock = threading.Lock()
        self._command, self._want, self._is_on = 0, False, False
        self._heard_at = self._renewed_at = 0.0
        self._failed = False
        self.limits: Limits | None = None
        self.statistics = LinkStatistics()

    @property
    def is_on(self) -> bool:
        return self._is_on

    def counts(self) -> Mapping[str, float]:
        """`statistics` as numbers with names."""
        return asdict(self.statistics)

    @property
    def process_id(self) -> int | None:
        """Of the heartbeat process, while it is open."""
        return self._process.process_id if self._process is not None else None

    def open(self, origin: float) -> None:
        """Start the heartbeat process and wait until the device answers it."""
        self.close()
        if os.name != "posix":
            raise UsageError(
                "outputs on a serial port run on Linux and macOS; on this system use output=CallableOutput"
            )
        self._command, self._want, self._is_on = 0, False, False
        self._failed = False
        self.statistics = LinkStatistics()
        file = create_event_file(self._events, self._overwrite) if self._events is not None else None
        try:
            if file is not None:
                file.write((",".join(COLUMNS) + "\n").encode())
            self._process = HeartbeatProcess(self._words(origin), file.fileno() if file is not None else None)
            self._await_ready(self._process)
        except BaseException:
            self._abandon()
            if self._events is not None:  # there is nothing in it, and the next try needs the name
                self._events.unlink(missing_ok=True)
            raise
        finally:
            if file is not None:
                file.close()

    def renew(self, want: bool, reason: Reason, frame: int, age: float) -> None:
        process = self._process
        if process is None:
            raise UsageError("the output is not open; call open() before process(), or run it in a Session")
        try:
            with self._lock:
                self._listen(process)
                self._write(process, want, reason, frame, age)
        except (OutputError, DataError):
            self._failed = True
            raise

    def off(self, reason: Reason) -> None:
        process = self._process
        if process is not None:
            with self._lock:
                self._write(process, False, reason, -1, 0.0)

    def close(self) -> None:
        """Switch off and wait until the device acknowledged it.

        Raises:
            OutputError: it did not; its watchdog switches it off.
        """
        process, self._process = self._process, None
        self._want = self._is_on = False
        if process is None:
            return
        now = time.perf_counter()
        with self._lock:
            process.write(Lease(now, now + 1, self._command + 1, Request.END, Reason.END, -1, 0.0), urgent=True)
        last = process.end(within=2.0)
        if self._failed:  # that was said already, and this must not hide it
            return
        if last is not None and last.kind == ReportKind.FAILED:
            raise failure_error(last, self._port)
        if last is None or last.kind != ReportKind.CLOSED or last.code:
            raise OutputError(
                f"{self._port} did not acknowledge being switched off; its watchdog does it, look at the device"
            )

    # ---- the heartbeat process

    def _words(self, origin: float) -> list[str]:
        period = 1e6 / self._frequency if self._frequency else 0
        microseconds = {"width": 1e6 * self._width, "period": period, "duration": 1e6 * self._duration}
        words = [self._port, f"--baud={self._baud}", f"--channel={self._channel}", f"--origin={origin!r}"]
        return [
            *words,
            f"--patience={self._patience}",
            *(f"--{name}={value:.0f}" for name, value in microseconds.items()),
        ]

    def _await_ready(self, process: HeartbeatProcess) -> None:
        until = time.perf_counter() + self._patience + 10
        while time.perf_counter() < until:
            for report in process.read(0.1):
                if report.kind == ReportKind.READY:
                    self._heard_at = time.perf_counter()
                    self.limits = Limits(*report.numbers)
                    self._check(self.limits)
                    return
                if report.kind == ReportKind.FAILED:
                    raise failure_error(report, self._port)
            if process.ended:
                raise OutputError(f"the heartbeat process of {self._port} ended at once; run: dlclive doctor")
        raise OutputError(f"the heartbeat process of {self._port} did not start")

    def _check(self, limits: Limits) -> None:
        """Refuse at the beginning what the device would refuse each time."""
        width = 1e6 * self._width
        duration = 1e6 * self._duration if self._frequency else width
        beyond = ""
        if self._channel >= limits.channels:
            beyond = f"has {limits.channels} channels, counted from 0; channel is {self._channel}"
        elif width > limits.pulse_us:
            beyond = f"allows pulses of at most {limits.pulse_us / 1e6:g} s; width is {self._width:g}"
        elif duration > limits.train_us:
            beyond = f"allows trains of at most {limits.train_us / 1e6:g} s; duration is {self._duration:g}"
        elif self._frequency and round(width) * 1000 > round(1e6 / self._frequency) * limits.duty_permille:
            share = self._width * self._frequency
            beyond = f"allows a duty of at most {limits.duty_permille / 1e3:g}; width times frequency is {share:g}"
        if beyond:
            raise UsageError(f"the device on {self._port} {beyond}; the limits are set in its sketch")

    def _write(self, process: HeartbeatProcess, want: bool, reason: Reason, frame: int, age: float) -> None:
        urgent = want != self._want
        if urgent:
            self._command += 1
            self._want = self._is_on = want
        now = time.perf_counter()
        lease = Lease(now, now + self._lifespan, self._command, Request(want), reason, frame, age)
        if not process.write(lease, urgent=urgent):
            self._listen(process)  # its last words say more
            raise OutputError(f"the heartbeat process of {self._port} has ended; the device has switched off by itself")

    def _listen(self, process: HeartbeatProcess) -> None:
        for report in process.read(0.0):
            self._heard_at = max(self._heard_at, report.time)
            if report.kind == ReportKind.FAILED:
                raise failure_error(report, self._port)
            self._hear(report)
        if process.ended:
            raise OutputError(f"the heartbeat process of {self._port} has ended; the device has switched off by itself")
        now = time.perf_counter()
        if now - self._renewed_at > _SILENCE:  # it was this process that slept, and the reports did not fit in the pipe
            self._heard_at = now
        self._renewed_at = now
        if now - self._heard_at > _SILENCE:
            raise OutputError(
                f"the heartbeat process of {self._port} does not answer; the device has switched off by itself"
            )

    def _hear(self, report: Report) -> None:
        if report.kind in _WARNINGS:
            _log.warning("output on %s: %s", self._port, _WARNINGS[ReportKind(report.kind)])
        if report.kind == ReportKind.STATUS:
            trips, cuts, noise, strange, _ = report.numbers
            self.statistics = LinkStatistics(trips, cuts, noise, strange, report.round_trip, report.longest_trip)
        of_old = report.kind in (ReportKind.REFUSED, ReportKind.LOST) and report.command != self._command
        if (
            report.kind
            in (
                ReportKind.REFUSED,
                ReportKind.LOST,
                ReportKind.LAPSED,
                ReportKind.TRIPPED,
                ReportKind.CUT,
                ReportKind.ENDED,
            )
            and not of_old
        ):
            self._is_on = False

    def _abandon(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end(within=2.0)
