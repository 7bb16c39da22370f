"""An output on a serial port that is switched off when the host fails."""

from __future__ import annotations

import importlib.util
import io
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dlclive_core import DataError, DependencyError, Output, OutputError, Reason, RunClock, UsageError, check_number
from dlclive_processors.output.event_file import COLUMNS
from dlclive_processors.output.failure_messages import failure_error
from dlclive_processors.output.heartbeat_process import HeartbeatProcess
from dlclive_processors.output.lease import Lease, Report, ReportKind, Request
from dlclive_processors.output.protocol import Limits
from dlclive_processors.output.rehearsed_serial import RehearsedSerial
from dlclive_processors.triggers.event_log import create_event_file

_log = logging.getLogger(__name__)

_WARNINGS = {
    ReportKind.REFUSED: "the device refused to switch on: it was on too recently, or the host seemed dead",
    ReportKind.LOST: "switching on was not acknowledged in time and was cancelled",
    ReportKind.TRIPPED: "no beat reached the device in time and its watchdog tripped; is the computer overloaded?",
    ReportKind.CUT: "the device cut a pulse short",
}
_SILENCE = 1.0  # seconds without a report after which the heartbeat process is no longer trusted


@dataclass(frozen=True, slots=True)
class LinkStatistics:
    """State of the line to the device, updated every 0.1 s.

    Attributes:
        trips: number of times the device's watchdog switched the output off since `open`.
        cuts: number of pulses that the device cut short.
        noise: number of malformed pieces of input from the device.
        strange: number of answers without a message.
        round_trip: median time from message to answer of the last 200, in seconds.
        longest_trip: longest such time since `open`, in seconds.
    """

    trips: int = 0
    cuts: int = 0
    noise: int = 0
    strange: int = 0
    round_trip: float = 0.0
    longest_trip: float = 0.0


class SerialOutput(Output):
    """A channel of a device with dlclive's firmware, or of its simulator (`python -m dlclive_processors.simulator`).

    The device is on only while heartbeats arrive, from a separate process that owns the port. That process sends beats
    while it lives, and switches off when the last pose is older than `lifespan`, when this process dies, and at the end.
    So after a crash, kill or hang on any side, the output is switched off within `lifespan` or the device's watchdog (50 ms
    by default) plus a few milliseconds.

    Args:
        port: for example "/dev/ttyACM0".
        channel: of the device, from 0.
        width: length of a pulse in seconds.
        frequency: pulses per second; 0: a single pulse.
        duration: of the train of pulses in seconds; it ends earlier if the output is switched off.
        lifespan: seconds without a pose after which the output is switched off; longer than the longest interval between
            two poses.
        patience: seconds to wait for the device; a board may restart when its port is opened.
        baud: bits per second; boards with native USB ignore it.
        events: CSV file with a line for each command and for each action of the device itself. The heartbeat process
            writes it, so it is complete even if this process is killed.
        overwrite: whether `events` may replace an existing file.

    Raises:
        UsageError: an invalid option, or one beyond the device's limits (in `open`).
        DependencyError: pyserial is not installed.
        OutputError: the port or the device cannot be used, or its watchdog is not 5 to 100 ms (in `open`); it can no longer be
            trusted (in `renew`).
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
        self.port = port
        self._channel = int(check_number("channel", channel, least=0, most=7))
        self._width = check_number("width", width, least=1e-6, most=1000)
        self._frequency = check_number("frequency", frequency, least=0, most=1e5)
        self._duration = check_number("duration", duration, least=1e-6, most=1000)
        self._lifespan = check_number("lifespan", lifespan, least=0.005, most=1)
        self._patience = check_number("patience", patience, above=0, most=60)
        self._baud = int(check_number("baud", baud, least=300))
        if self._frequency and self._width * self._frequency > 1:
            raise UsageError(
                f"pulses of {width:g} s overlap at {frequency:g} pulses per second; reduce width or frequency"
            )
        if importlib.util.find_spec("serial") is None:
            raise DependencyError("serial outputs need pyserial; run: pip install pyserial")
        self._events = Path(events) if events is not None else None
        self._overwrite = overwrite
        self._process: HeartbeatProcess | None = None
        self._lock = threading.Lock()
        self._command, self._requested, self._is_on = 0, False, False
        self._heard_at = self._renewed_at = 0.0
        self._failed = False
        self.limits: Limits | None = None
        self.statistics = LinkStatistics()

    fails_safe = True
    safety = "the device switches off when beats stop, and limits pulses itself"

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The file of events."""
        return () if self._events is None else (self._events,)

    @property
    def is_on(self) -> bool:
        return self._is_on

    def counts(self) -> Mapping[str, float]:
        """`statistics` by name."""
        return asdict(self.statistics)

    def rehearsal(self, clock: RunClock) -> Output:
        """Follows the durations, and writes `events` with what a replay knows."""
        longest = self._duration if self._frequency else self._width
        return RehearsedSerial(clock, longest, self._events, self._overwrite)

    @property
    def process_id(self) -> int | None:
        """Of the heartbeat process; None if the output is not open."""
        return self._process.process_id if self._process is not None else None

    def open(self, origin: float) -> None:
        """Start the heartbeat process and wait until the device answers it."""
        self.close()
        self._command, self._requested, self._is_on = 0, False, False
        self._failed = False
        self.statistics = LinkStatistics()
        file = create_event_file(self._events, self._overwrite) if self._events is not None else None
        try:
            if file is not None:
                file.write((",".join(COLUMNS) + "\n").encode())
            self._process = self._started(origin, file)
            self._await_ready(self._process)
        except BaseException:
            self._abandon()
            if file is not None:  # it is empty, and the next attempt needs the name
                file.close()  # before it is removed: Windows removes no open file
                Path(file.name).unlink(missing_ok=True)
            raise
        finally:
            if file is not None:
                file.close()

    def renew(self, on: bool, reason: Reason, frame: int, age: float) -> None:
        process = self._process
        if process is None:
            raise UsageError("the output is not open; call open() before process(), or run it in a Session")
        if process.is_inherited:
            raise OutputError(
                f"the output on {self.port} belongs to the process that opened it, and this one was forked from it; "
                "open an output of its own"
            )
        try:
            with self._lock:
                self._listen(process)
                self._write(process, on, reason, frame, age)
        except (OutputError, DataError):
            self._failed = True
            raise

    def off(self, reason: Reason) -> None:
        process = self._process
        if process is not None and not process.is_inherited:
            with self._lock:
                self._write(process, False, reason, -1, 0.0)

    def close(self) -> None:
        """Switch off and wait for the device's acknowledgement.

        Raises:
            OutputError: there was none; the device's watchdog switches the output off.
        """
        process, self._process = self._process, None
        self._requested = self._is_on = False
        if process is None or process.is_inherited:
            return
        now = time.perf_counter()
        with self._lock:
            process.write(Lease(now, now + 1, self._command + 1, Request.END, Reason.END, -1, 0.0), urgent=True)
        last = process.end(within=2.0)
        if self._failed:  # already raised, and must not be hidden by another error
            return
        if last is not None and last.kind == ReportKind.FAILED:
            raise failure_error(last, self.port)
        if last is None or last.kind != ReportKind.CLOSED or last.code:
            raise OutputError(
                f"{self.port} did not acknowledge being switched off; its watchdog does it: check the device"
            )

    # ---- the heartbeat process

    def _started(self, origin: float, events: io.FileIO | None) -> HeartbeatProcess:
        try:
            return HeartbeatProcess(self._arguments(origin), events)
        except OSError as error:
            raise OutputError(f"the heartbeat process of {self.port} cannot be started: {error}") from None

    def _arguments(self, origin: float) -> list[str]:
        period = 1e6 / self._frequency if self._frequency else 0
        microseconds = {"width": 1e6 * self._width, "period": period, "duration": 1e6 * self._duration}
        arguments = [self.port, f"--baud={self._baud}", f"--channel={self._channel}", f"--origin={origin!r}"]
        return [
            *arguments,
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
                    raise failure_error(report, self.port)
            if process.ended:
                raise OutputError(f"the heartbeat process of {self.port} ended immediately; run: dlclive doctor")
        raise OutputError(f"the heartbeat process of {self.port} did not start")

    def _check(self, limits: Limits) -> None:
        """Refuse at the start what the device would refuse each time."""
        width = 1e6 * self._width
        duration = 1e6 * self._duration if self._frequency else width
        limit = ""
        if self._channel >= limits.channels:
            limit = f"has {limits.channels} channels, counted from 0; channel is {self._channel}"
        elif width > limits.pulse_us:
            limit = f"allows pulses of at most {limits.pulse_us / 1e6:g} s; width is {self._width:g}"
        elif duration > limits.train_us:
            limit = f"allows trains of at most {limits.train_us / 1e6:g} s; duration is {self._duration:g}"
        elif self._frequency and round(width) * 1000 > round(1e6 / self._frequency) * limits.duty_permille:
            share = self._width * self._frequency
            limit = f"allows a duty cycle of at most {limits.duty_permille / 1e3:g}; width times frequency is {share:g}"
        if limit:
            raise UsageError(f"the device on {self.port} {limit}; the limits are set in its sketch")

    def _write(self, process: HeartbeatProcess, on: bool, reason: Reason, frame: int, age: float) -> None:
        urgent = on != self._requested
        if urgent:
            self._command += 1
            self._requested = self._is_on = on
        now = time.perf_counter()
        lease = Lease(now, now + self._lifespan, self._command, Request(on), reason, frame, age)
        if not process.write(lease, urgent=urgent):
            self._listen(process)  # its last report tells more
            raise OutputError(f"the heartbeat process of {self.port} has ended; the device has switched off by itself")

    def _listen(self, process: HeartbeatProcess) -> None:
        for report in process.read(0.0):
            self._heard_at = max(self._heard_at, report.time)
            if report.kind == ReportKind.FAILED:
                raise failure_error(report, self.port)
            self._hear(report)
        if process.ended:
            raise OutputError(f"the heartbeat process of {self.port} has ended; the device has switched off by itself")
        now = time.perf_counter()
        if now - self._renewed_at > _SILENCE:  # this process was asleep, and the pipe overflowed
            self._heard_at = now
        self._renewed_at = now
        if now - self._heard_at > _SILENCE:
            raise OutputError(
                f"the heartbeat process of {self.port} does not respond; the device has switched off by itself"
            )

    def _hear(self, report: Report) -> None:
        if report.kind in _WARNINGS:
            _log.warning("output on %s: %s", self.port, _WARNINGS[ReportKind(report.kind)])
        if report.kind == ReportKind.STATUS:
            trips, cuts, noise, strange, _ = report.numbers
            self.statistics = LinkStatistics(trips, cuts, noise, strange, report.round_trip, report.longest_trip)
        is_outdated = report.kind in (ReportKind.REFUSED, ReportKind.LOST) and report.command != self._command
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
            and not is_outdated
        ):
            self._is_on = False

    def _abandon(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end(within=2.0)
