"""The loop of the process that owns the port: it sends beats while the session is alive, and switches off when it is not.

`heartbeat_main.py` runs it. Standard library only, so that it starts fast and is independent of the model's libraries.
"""

from __future__ import annotations

import os
import select
import sys
import time
from dataclasses import dataclass

from dlclive_core import Reason
from dlclive_processors.output.channel import Line, ProcessChannel
from dlclive_processors.output.device_link import DeviceLink, SentMessage
from dlclive_processors.output.event_file import EventFile
from dlclive_processors.output.lease import Failure, Lease, Report, ReportKind, Request, read_leases
from dlclive_processors.output.prober import Prober
from dlclive_processors.output.protocol import (
    ALL_CHANNELS,
    LONGEST_WATCHDOG,
    SHORTEST_WATCHDOG,
    VERSION,
    Answer,
    Limits,
    Status,
    Type,
)

# All in seconds.
RESEND_AFTER = 0.005  # a command without an answer is sent again
ON_TIMEOUT = 0.03  # an ON without acknowledgement is cancelled
OFF_TIMEOUT = 0.025  # after an OFF without acknowledgement, beats stop, and the device's watchdog switches off
END_TIMEOUT = 0.2  # the same at the end of the session: by then the watchdog has switched off
SILENCE = 0.5  # the device has failed if it does not answer, or considers the host dead, for this long
STATUS_INTERVAL = 0.1
BEATS_PER_WATCHDOG = 10
_STATUSES = frozenset(Status)


class HeartbeatFailed(Exception):  # noqa: N818 - not an error of the program
    """The device can no longer be trusted."""

    def __init__(self, failure: Failure, number: int = 0) -> None:
        super().__init__(failure.name)
        self.failure, self.number = failure, number


@dataclass(slots=True)
class Command:
    """An ON or OFF that awaits its acknowledgement."""

    on: bool
    number: int
    reason: Reason
    lease: Lease | None
    sent: SentMessage
    repeated: float


class Heartbeat:
    """The loop of the process.

    Args:
        line: to the device.
        pulses: the packed parameters of ON.
        channel: to the session. Leases are read at each beat; it wakes the process for a change, and when the session dies,
            so that leases are read at once.
        events: the events file.
        session: process ID of the session, which is this process's parent.
        probe: the packed parameters of PROBE, if the device has an LED.
    """

    def __init__(
        self,
        line: Line,
        pulses: bytes,
        channel: ProcessChannel,
        events: EventFile,
        session: int,
        probe: bytes | None = None,
    ) -> None:
        self._line, self._channel = line, channel
        self._link, self._pulses, self._events = DeviceLink(line), pulses, events
        self._lease: Lease | None = None
        self._on = False  # the device was switched on, and was neither switched off nor reported that it is off
        self._pending: Command | None = None
        self._mute = False
        self._running = False  # the device reported a train of pulses in progress
        self._beat_at = self._status_at = 0.0
        self._period = 0.005
        self._alive_at = 0.0
        self._counts: tuple[int, int] | None = None
        self._trips = self._cuts = 0
        self._ending: Reason | None = None
        self._greeting = True
        self._session = session
        self._output = 1 << pulses[0]  # the output's bit among the channels
        self._prober = None if probe is None else Prober(self._link, probe, self._report_probe)

    # ---- start

    def greet(self, patience: float) -> Limits:
        """Send HELLO until the device answers (a board may restart when its port is opened), then beats until it is alive."""
        limits = self._hello(time.perf_counter() + patience)
        if not SHORTEST_WATCHDOG <= limits.watchdog_us <= LONGEST_WATCHDOG:
            raise HeartbeatFailed(Failure.WATCHDOG, limits.watchdog_us)
        self._period = limits.watchdog_us / 1e6 / BEATS_PER_WATCHDOG
        until = time.perf_counter() + 10 * limits.watchdog_us / 1e6
        while not self._alive_at:
            if time.perf_counter() > until:
                raise HeartbeatFailed(Failure.TOO_SLOW, round(1e3 * self._link.longest_trip))
            self._link.send(Type.BEAT)
            self._wait(self._period)
        self._greeting = False
        return limits

    def _hello(self, until: float) -> Limits:
        while time.perf_counter() < until:
            self._link.send(Type.HELLO, bytes((VERSION,)))
            resend_at = time.perf_counter() + 0.1
            while (remaining := resend_at - time.perf_counter()) > 0:
                for _, answer in self._wait(remaining):
                    if answer.status == Status.WRONG_VERSION or answer.version != VERSION:
                        raise HeartbeatFailed(Failure.WRONG_VERSION, answer.version)
                    if answer.limits is not None:
                        return answer.limits
        raise HeartbeatFailed(Failure.NO_ANSWER)

    # ---- loop

    def run(self) -> None:
        """Send beats until the session ends; end with the output off. Raises HeartbeatFailed."""
        while self._ending is None or self._pending is not None:
            self._step()
            now = time.perf_counter()
            wait = (
                min(self._beat_at, self._status_at, self._pending.repeated + RESEND_AFTER if self._pending else now + 1)
                - now
            )
            if self._on and self._lease is not None:
                wait = min(wait, self._lease.deadline - now)
            if self._prober is not None:
                wait = min(wait, self._prober.due(now) - now)
            if not self._wait(max(0.0, wait)):
                self._check_device(time.perf_counter())
        self.report(ReportKind.CLOSED, code=int(self._mute))

    def _step(self) -> None:
        """Do what is due now; switching off comes first."""
        if self._ending is None:
            self._read_leases()
        # A process that the session forked may keep the pipe open and renew; but it cannot be this process's parent. Windows
        # has no fork, and there the parent may be a launcher of Python.
        if sys.platform != "win32" and self._ending is None and os.getppid() != self._session:
            self._end(Reason.HOST_GONE)
        now = time.perf_counter()
        if self._on and (self._lease is None or now > self._lease.deadline):
            self._switch_off(Reason.LAPSED)
            self.report(ReportKind.LAPSED)
        if self._pending is not None and now >= self._pending.repeated + RESEND_AFTER:
            self._resend(self._pending, now)
        if self._prober is not None:
            self._prober.step(now)
        if now >= self._beat_at and not self._mute:
            self._link.send(Type.BEAT)
            self._beat_at = max(self._beat_at + self._period, now + self._period / 2)
        elif self._mute:
            self._beat_at = now + self._period
        if now >= self._status_at:
            self.report(ReportKind.STATUS)
            self._status_at = now + STATUS_INTERVAL

    def _check_device(self, now: float) -> None:
        """Raise HeartbeatFailed if the device can no longer be trusted. Called when all its answers have been read."""
        if now - self._link.heard_at > SILENCE:
            raise HeartbeatFailed(Failure.SILENT)
        if now - self._alive_at > SILENCE and not self._mute:
            raise HeartbeatFailed(Failure.TOO_SLOW, round(1e3 * self._link.round_trip))
        if self._events.error is not None:
            raise HeartbeatFailed(Failure.EVENTS, self._events.error.errno or 0)

    def _wait(self, seconds: float) -> list[tuple[SentMessage, Answer]]:
        """Sleep until woken or an answer comes, and handle the answer."""
        line, session = self._line.descriptor, self._channel.descriptor
        watched = [line] if self._ending is not None else [line, session]
        ready, _, _ = select.select(watched, [], [], seconds)
        if session in ready and not self._channel.wake() and self._greeting:
            raise SystemExit(1)  # the session died during the start
        if line not in ready or not self._line.has_data():
            return []
        answers = self._link.receive()
        for sent, answer in answers:
            self._handle_answer(sent, answer)
        return answers

    # ---- requests of the session

    def _read_leases(self) -> None:
        """Read all new leases; the newest counts, but no change is skipped."""
        data = self._channel.read()
        if data is None:
            return
        for lease in read_leases(data):
            if lease.request == Request.PROBE:
                if self._prober is not None:
                    self._prober.begin(lease.command, time.perf_counter())
                continue
            known = self._lease.command if self._lease is not None else 0
            self._lease = lease
            if lease.request == Request.END:
                self._end(Reason.END)
            elif lease.command != known and lease.request == Request.ON:
                self._switch_on(lease)
            elif lease.command != known:
                self._switch_off(Reason(lease.reason))
        if not data and self._ending is None:  # the session's process is dead
            self._end(Reason.HOST_GONE)

    def _end(self, reason: Reason) -> None:
        self._ending = reason
        self._switch_off(reason)

    def _switch_on(self, lease: Lease) -> None:
        # Too late to act, because this process was delayed; or the device has not even acknowledged an OFF.
        if self._mute or time.perf_counter() > lease.deadline:
            self._report_lost(lease.command, lease, None)
            return
        self._on = True
        self._running = False
        self._supersede()
        sent = self._link.send(Type.ON, self._pulses, command=lease.command)
        self._pending = Command(True, lease.command, Reason(lease.reason), lease, sent, sent.at)

    def _switch_off(self, reason: Reason) -> None:
        self._on = False
        self._supersede()
        number = self._lease.command if self._lease is not None else 0
        sent = self._link.send(Type.OFF, bytes((ALL_CHANNELS,)), command=number)
        self._pending = Command(False, number, reason, self._lease, sent, sent.at)

    def _supersede(self) -> None:
        """Stop waiting for the pending command, because a newer one follows."""
        if self._pending is not None:
            self._log_event(self._pending, "on" if self._pending.on else "off", None)
            self._pending = None

    def _resend(self, command: Command, now: float) -> None:
        """Send a command again, or act on its timeout."""
        waited = now - command.sent.at
        if command.on and waited > ON_TIMEOUT:
            self._pending = None
            if command.lease is not None:
                self._report_lost(command.number, command.lease, command.sent)
            self._switch_off(Reason.NOT_ACKNOWLEDGED)
            return
        if not command.on and waited > OFF_TIMEOUT:
            self._mute = True
            if self._ending is not None and waited > END_TIMEOUT:
                self._log_event(command, "lost", None)
                self._pending = None
                return
        if command.on:
            self._link.send(Type.ON, self._pulses, command=command.number, again=command.sent.sequence)
        else:
            self._link.send(Type.OFF, bytes((ALL_CHANNELS,)), command=command.number, again=command.sent.sequence)
        command.repeated = now

    def _report_lost(self, number: int, lease: Lease, sent: SentMessage | None) -> None:
        self._on = False
        self._events.add(
            "lost",
            sequence=sent.sequence if sent else None,
            reason=Reason(lease.reason).label,
            frame=lease.frame,
            age=lease.age,
            decided=lease.written,
            sent=sent.at if sent else None,
        )
        self.report(ReportKind.LOST, number)

    # ---- answers of the device

    def _handle_answer(self, sent: SentMessage, answer: Answer) -> None:
        now = self._link.heard_at
        if answer.status not in _STATUSES:
            raise HeartbeatFailed(Failure.UNKNOWN_STATUS, answer.status)
        if answer.alive or self._greeting:
            self._alive_at = now if answer.alive else 0.0
        if self._greeting:
            self._counts = answer.trips, answer.cuts
            return
        if not answer.greeted:
            raise HeartbeatFailed(Failure.RESTARTED)
        self._count_trips(answer)
        if self._prober is not None and sent.kind in (Type.PROBE, Type.TIMES):
            self._prober.hear(sent, answer)
        pending = self._pending
        if pending is not None and sent.sequence == pending.sent.sequence:
            self._pending = None
            self._handle_acknowledgement(pending, answer)
        elif self._on and pending is None:
            if self._running and not answer.active & self._output:
                self._running = self._on = False
                self._events.add("ended", acknowledged=now, device_time=self._link.device_time)
                self.report(ReportKind.ENDED)
            self._running = self._running or answer.active & self._output != 0

    def _handle_acknowledgement(self, command: Command, answer: Answer) -> None:
        done = answer.status == Status.DONE
        if command.on:
            self._on = done
            self._running = done
            event = "on" if done else "refused"
            self._log_event(command, event, answer)
            self.report(ReportKind.DONE if done else ReportKind.REFUSED, command.number, answer.status)
        else:
            if self._mute:
                self._mute, self._alive_at = False, self._link.heard_at
            self._log_event(command, "off", answer)
            self.report(ReportKind.DONE, command.number)

    def _log_event(self, command: Command, event: str, answer: Answer | None) -> None:
        reason = command.reason.label
        if answer is not None and answer.status != Status.DONE:
            reason = Status(answer.status).name.lower().replace("_", " ")
        lease = command.lease
        own = command.reason in (
            Reason.LAPSED,
            Reason.HOST_GONE,
            Reason.NOT_ACKNOWLEDGED,
        )  # not commanded by the session
        self._events.add(
            event,
            sequence=command.sent.sequence,
            reason=reason,
            frame=lease.frame if lease is not None else None,
            age=lease.age if lease is not None else None,
            decided=lease.written if lease is not None and not own else None,
            sent=command.sent.at,
            acknowledged=self._link.heard_at if answer is not None else None,
            device_time=self._link.device_time if answer is not None else None,
        )

    def _count_trips(self, answer: Answer) -> None:
        """Count the watchdog's trips and pulses that were cut short, and report new ones."""
        trips, cuts = self._counts or (answer.trips, answer.cuts)
        new_trips, new_cuts = (answer.trips - trips) & 0xFFFF, (answer.cuts - cuts) & 0xFFFF
        self._counts = answer.trips, answer.cuts
        self._trips += new_trips
        self._cuts += new_cuts
        for count, event, kind in ((new_trips, "trip", ReportKind.TRIPPED), (new_cuts, "cut", ReportKind.CUT)):
            if count:
                self._on = False  # the device switched it off
                self._events.add(event, acknowledged=self._link.heard_at, device_time=self._link.device_time)
                self.report(kind)

    # ---- reports to the session

    def report(self, kind: ReportKind, command: int = 0, code: int = 0, numbers: tuple[int, ...] | None = None) -> None:
        """Send a report to the session, if it still reads."""
        link = self._link
        counts = (self._trips, self._cuts, link.noise, link.strange) if numbers is None else numbers
        padded = (*counts, 0, 0, 0, 0, 0)[:5]
        now, device = time.perf_counter(), link.device_time
        record = Report(kind, code, command, now, device, link.round_trip, link.longest_trip, padded)
        self._channel.write(record.pack())

    def _report_probe(self, number: int, state: tuple[int, ...]) -> None:
        self.report(ReportKind.PROBED, number, numbers=state)

    # ---- end

    def switch_off(self) -> None:
        """Send OFF, and BYE so that a regular end is not counted as a trip. Raises OSError if the port is gone."""
        self._link.send(Type.OFF, bytes((ALL_CHANNELS,)))
        self._link.send(Type.BYE)
