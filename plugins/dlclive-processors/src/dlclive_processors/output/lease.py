"""The records exchanged by the session and its heartbeat process, of fixed size, through the connection of `channel.py`.

The session writes a lease at every pose: the requested state and its deadline. The process answers with reports. The heartbeat
process imports this, so it imports little.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from enum import IntEnum

_LEASE = struct.Struct("<ddIBBqd")
_REPORT = struct.Struct("<BBIdddd5I")


class Request(IntEnum):
    """The state that the session requests."""

    OFF = 0
    ON = 1
    END = 2
    PROBE = 3  # switch the LED on; `command` is the number of the probe


class ReportKind(IntEnum):
    """The kind of a report."""

    READY = 1  # numbers: channels, watchdog, pulse, train, duty
    STATUS = 2  # every 0.1 s; numbers: trips, cuts, noise, strange answers
    DONE = 3
    REFUSED = 4  # code: the device's Status
    LOST = 5
    LAPSED = 6
    TRIPPED = 7
    CUT = 8
    ENDED = 9  # the train of pulses is over
    FAILED = 10  # code: Failure; numbers[0]: errno
    CLOSED = 11
    PROBED = 12  # command: the probe; numbers: see `Prober`


class Failure(IntEnum):
    """Why the heartbeat process gave up."""

    NO_PORT = 1
    NO_ANSWER = 2
    WRONG_VERSION = 3  # number: the device's version
    TOO_SLOW = 4
    UNPLUGGED = 5
    SILENT = 6
    RESTARTED = 7
    EVENTS = 8
    WATCHDOG = 9  # number: the device's watchdog, in us
    UNKNOWN_STATUS = 10  # number: the status
    UNEXPECTED = 11  # an error of the heartbeat process itself


@dataclass(frozen=True, slots=True)
class Lease:
    """The state that the session requests, and until when.

    Attributes:
        written, deadline: `time.perf_counter()`, the same clock in both processes.
        command: number of changes of `request` so far.
        frame, age: number and age, in seconds, of the frame behind the decision.
    """

    written: float
    deadline: float
    command: int
    request: int
    reason: int
    frame: int
    age: float

    def pack(self) -> bytes:
        return _LEASE.pack(*astuple(self))


@dataclass(frozen=True, slots=True)
class Report:
    """A report of the heartbeat process. Times are in seconds.

    Attributes:
        device_time: the device's clock in its newest answer, unwrapped.
        round_trip, longest_trip: median round trip of the last 200 messages, and the longest so far.
        numbers: five numbers, whose meaning depends on the `ReportKind`.
    """

    kind: int
    code: int
    command: int
    time: float
    device_time: float
    round_trip: float
    longest_trip: float
    numbers: tuple[int, ...]

    def pack(self) -> bytes:
        *values, numbers = (getattr(self, name) for name in self.__slots__)
        return _REPORT.pack(*values, *numbers)


def read_leases(data: bytes) -> list[Lease]:
    """The complete records in these bytes."""
    whole = len(data) // _LEASE.size * _LEASE.size
    return [Lease(*values) for values in _LEASE.iter_unpack(data[:whole])]


def read_reports(data: bytes) -> list[Report]:
    """The complete records in these bytes."""
    whole = len(data) // _REPORT.size * _REPORT.size
    reports = []
    for values in _REPORT.iter_unpack(data[:whole]):
        kind, code, command, when, device_time, round_trip, longest_trip, *numbers = values
        reports.append(Report(kind, code, command, when, device_time, round_trip, longest_trip, tuple(numbers)))
    return reports


LEASE_SIZE, REPORT_SIZE = _LEASE.size, _REPORT.size
