"""The protocol between the host and the device of an output, specified in `firmware/README.md`.

Used by the heartbeat process and the simulator. Standard library only.
"""

from __future__ import annotations

import struct
from binascii import crc_hqx
from dataclasses import dataclass
from enum import IntEnum

VERSION = 2
ANSWER = 0x80  # an answer's type is its message's type with this bit set
ALL_CHANNELS = 0xFF
LONGEST = 48  # bytes of a stuffed message; a longer one is noise
CLOCK = 1 << 32  # the device's clock counts microseconds and wraps around
SHORTEST_WATCHDOG, LONGEST_WATCHDOG = (
    5_000,
    100_000,
)  # microseconds; beats cannot keep a shorter one, nor trust a longer

HEAD = struct.Struct("<BHI")  # type, sequence, echo
ON_VALUES = struct.Struct("<BIII")  # channel, width, period, duration in us
PROBE_VALUES = struct.Struct("<BBI")  # channel of the LED, channel of the output, width in us
STATE = struct.Struct("<BHIBBBHHH")  # type, sequence, clock, status, active, flags, trips, cuts, noise
TIMES = struct.Struct("<BIIH")  # 1 lit | 2 answered, times of both, rises of the output
LIMITS = struct.Struct("<BBIIIH")  # version, channels, watchdog, pulse, train in us, duty in thousandths


class Type(IntEnum):
    """The type of a message from the host."""

    HELLO = 1
    BEAT = 2
    ON = 3
    OFF = 4
    BYE = 5
    PROBE = 6
    TIMES = 7


class Status(IntEnum):
    """The result of a message."""

    DONE = 0
    NO_HELLO = 1
    STALE = 2
    BEYOND_LIMIT = 3
    TOO_SOON = 4
    NO_CHANNEL = 5
    MALFORMED = 6
    WRONG_VERSION = 7


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device never exceeds: times in microseconds, duty in thousandths of the time."""

    channels: int = 2
    watchdog_us: int = 50_000
    pulse_us: int = 1_000_000
    train_us: int = 10_000_000
    duty_permille: int = 500


@dataclass(frozen=True, slots=True)
class ProbeTimes:
    """The device's stopwatch: from an LED that it switched on to the output that answered.

    Attributes:
        lit, answered: whether the LED's pin was set since the last PROBE, and the output's pin after it.
        lit_at, answered_at: when, by the device's clock, in microseconds.
        rises: how often the output's pin was set, modulo 65,536.
    """

    lit: bool
    answered: bool
    lit_at: int
    answered_at: int
    rises: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the device.

    Attributes:
        clock: the device's own, in microseconds; it wraps around after 71 minutes.
        active: one bit per channel, set during a train of pulses.
        alive: whether the device considers the host alive.
        trips: number of times its watchdog switched the outputs off, modulo 65,536.
        cuts: number of pulses cut short, modulo 65,536.
        noise: number of malformed pieces of input, modulo 65,536.
        limits, version: in the answer to HELLO.
        times: in the answer to TIMES.
    """

    type: int
    sequence: int
    clock: int
    status: int
    active: int
    greeted: bool
    alive: bool
    trips: int
    cuts: int
    noise: int
    limits: Limits | None = None
    version: int = VERSION
    times: ProbeTimes | None = None


def message(kind: Type, sequence: int, echo: int, values: bytes = b"") -> bytes:
    """The bytes of a message to the device. `echo` is the clock of the device's newest answer."""
    return framed(HEAD.pack(kind, sequence, echo) + values)


def read_answer(content: bytes) -> Answer | None:
    """The answer in an unframed message; None if it is malformed."""
    if len(content) not in (STATE.size, STATE.size + LIMITS.size, STATE.size + TIMES.size) or not content[0] & ANSWER:
        return None
    kind, sequence, clock, status, active, flags, trips, cuts, noise = STATE.unpack_from(content)
    limits, version, times = None, VERSION, None
    if len(content) == STATE.size + TIMES.size:
        bits, *rest = TIMES.unpack_from(content, STATE.size)
        times = ProbeTimes(bool(bits & 1), bool(bits & 2), *rest)
    elif len(content) > STATE.size:
        version, *values = LIMITS.unpack_from(content, STATE.size)
        limits = Limits(*values)
    greeted, alive = bool(flags & 1), bool(flags & 2)
    state = (kind & ~ANSWER, sequence, clock, status, active, greeted, alive, trips, cuts, noise)
    return Answer(*state, limits, version, times)


def framed(content: bytes) -> bytes:
    """Add the checksum, encode without zeros (COBS, Cheshire and Baker 1999), and delimit by a zero on both sides."""
    content += crc_hqx(content, 0xFFFF).to_bytes(2, "little")
    return b"\0" + b"".join(bytes((len(run) + 1,)) + run for run in content.split(b"\0")) + b"\0"


def unframed(stuffed: bytes) -> bytes | None:
    """The content of a frame between two zeros; None if its encoding or checksum is wrong."""
    content, at = bytearray(), 0
    while at < len(stuffed):
        run = stuffed[at]
        if at + run > len(stuffed):
            return None
        content += stuffed[at + 1 : at + run]
        at += run
        if at < len(stuffed):
            content.append(0)
    if len(content) < 2 or crc_hqx(content[:-2], 0xFFFF) != int.from_bytes(content[-2:], "little"):
        return None
    return bytes(content[:-2])


class Splitter:
    """Splits a stream of bytes at its zeros. After noise, the second zero at the latest starts a message.

    Attributes:
        noise: number of malformed pieces.
    """

    def __init__(self) -> None:
        self.noise = 0
        self._piece = bytearray()
        self._overflow = False

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes; return the contents of the messages completed by them."""
        contents = []
        for byte in data:
            if byte:
                if len(self._piece) < LONGEST:
                    self._piece.append(byte)
                else:
                    self._overflow = True
                continue
            piece, overflow = bytes(self._piece), self._overflow
            self._piece.clear()
            self._overflow = False
            if piece:
                content = None if overflow else unframed(piece)
                if content is None:
                    self.noise += 1
                else:
                    contents.append(content)
        return contents
