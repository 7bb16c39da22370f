"""The device's state machine in Python: a line-by-line port of `firmware/dlclive_output/dlclive_output.h`.

A test drives both with the same random inputs and compares every answer and every level.
"""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_processors.output.protocol import (
    ALL_CHANNELS,
    ANSWER,
    CLOCK,
    HEAD,
    LIMITS,
    ON_VALUES,
    PROBE_VALUES,
    STATE,
    TIMES,
    VERSION,
    Limits,
    Splitter,
    Status,
    Type,
    framed,
)

_MASK = CLOCK - 1
_COUNT = 0xFFFF


@dataclass(slots=True)
class Channel:
    """One output: its train of pulses, its level, and the used part of its allowance (`heat`)."""

    active: bool = False
    begins: bool = False
    level: bool = False
    driven: bool = False
    started: int = 0
    width: int = 0
    period: int = 0
    duration: int = 0
    heat: int = 0


@dataclass(slots=True)
class Probe:
    """The stopwatch from an LED to the output that answers it."""

    led: int = -1
    output: int = -1
    armed: bool = False
    lit: bool = False
    answered: bool = False
    lit_at: int = 0
    answered_at: int = 0
    rises: int = 0

    def rise(self, channel: int, now: int) -> None:
        """A pin is set."""
        if channel == self.led and self.armed:
            self.armed, self.lit, self.lit_at = False, True, now
        if channel == self.output:
            self.rises = (self.rises + 1) & _COUNT
            if self.lit and not self.answered:
                self.answered, self.answered_at = True, now


class Device:
    """Decides whether outputs are on. All times are the device's clock: microseconds modulo 2^32."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.trips = self.cuts = 0
        self._noise_before = 0
        self._channels = [Channel() for _ in range(self.limits.channels)]
        self._proven = self._ticked = 0
        self._splitter = Splitter()
        self._on: tuple[int, int] | None = None  # sequence and status of the last ON
        self._probed: tuple[int, int] | None = None  # the same of the last PROBE
        self._executed = 0  # time of the last of them
        self.connect()

    def connect(self) -> None:
        """Reset at power-up, and whenever the connection is made or lost."""
        self._all_off()
        self._greeted = self._alive = False
        self._on = self._probed = None
        self._probe = Probe()
        self._noise_before += self._splitter.noise
        self._splitter = Splitter()

    def disconnect(self) -> None:
        """The host closes the port: a board with native USB detects that."""
        self.connect()

    @property
    def levels(self) -> int:
        """One bit per channel, set while its pin is to be high."""
        return sum(channel.level << number for number, channel in enumerate(self._channels))

    @property
    def noise(self) -> int:
        """Number of malformed pieces of input."""
        return self._noise_before + self._splitter.noise

    def receive(self, data: bytes, now: int) -> bytes:
        """Process bytes; return the answers."""
        answers = b""
        for byte in data:
            splitter = self._splitter
            for content in splitter.feed(bytes((byte,))):
                if len(content) < HEAD.size:
                    splitter.noise += 1
                else:
                    answers += self._answer(content, now)
        return answers

    def tick(self, now: int) -> None:
        """Advance to this time; the pins are then set from `levels`."""
        self._advance(now)
        for number, channel in enumerate(self._channels):
            if channel.level and not channel.driven:
                self._probe.rise(number, now)
            channel.driven = channel.level

    def _advance(self, now: int) -> None:
        step = (now - self._ticked) & _MASK
        self._ticked = now
        if (now - self._executed) & _MASK >= 4 * self.limits.watchdog_us:
            self._on = self._probed = None
        for channel in self._channels:
            self._warm(channel, step)
        if self._alive and (now - self._proven) & _MASK >= self.limits.watchdog_us:
            self._alive = False
            self.trips += 1
            self._all_off()
        for channel in self._channels:
            self._shape(channel, now)

    def _all_off(self) -> None:
        for channel in self._channels:
            channel.active = channel.level = False

    @property
    def _allowance(self) -> int:
        return self.limits.pulse_us * (1000 - self.limits.duty_permille)

    def _warm(self, channel: Channel, step: int) -> None:
        if channel.driven:
            channel.heat += step * (1000 - self.limits.duty_permille)
        else:
            channel.heat = max(0, channel.heat - step * self.limits.duty_permille)

    def _shape(self, channel: Channel, now: int) -> None:
        if not channel.active:
            return
        if channel.begins:
            channel.begins, channel.started = False, now
        elapsed = (now - channel.started) & _MASK
        if elapsed >= channel.duration:
            channel.active = channel.level = False
            return
        channel.level = channel.period == 0 or elapsed % channel.period < channel.width
        if channel.level and channel.heat > self._allowance:
            channel.active = channel.level = False
            self.cuts += 1

    def _fresh(self, echo: int, now: int) -> bool:
        return (now - echo) & _MASK < self.limits.watchdog_us

    def _answer(self, content: bytes, now: int) -> bytes:
        self._advance(now)
        kind, sequence, echo = HEAD.unpack_from(content)
        values = content[HEAD.size :]
        status = Status.MALFORMED
        if kind == Type.HELLO and len(values) == 1:
            self.connect()
            self._greeted = values[0] == VERSION
            status = Status.DONE if self._greeted else Status.WRONG_VERSION
        elif kind == Type.BEAT and not values:
            status = self._beat(echo, now)
        elif kind == Type.ON and len(values) == ON_VALUES.size:
            if self._on is None or self._on[0] != sequence:
                number, width, period, train = ON_VALUES.unpack(values)
                self._on, self._executed = (sequence, self._start(echo, number, width, period, train, now)), now
            status = Status(self._on[1])
        elif kind == Type.OFF and len(values) == 1:
            status = self._off(values[0])
        elif kind == Type.PROBE and len(values) == PROBE_VALUES.size:
            if self._probed is None or self._probed[0] != sequence:
                self._probed, self._executed = (sequence, self._start_probe(echo, values, now)), now
            status = Status(self._probed[1])
        elif kind == Type.TIMES and not values:
            status = Status.DONE
        elif kind == Type.BYE and not values:
            self.connect()
            status = Status.DONE
        return self._write(kind, sequence, status, now)

    def _beat(self, echo: int, now: int) -> Status:
        if not self._greeted:
            return Status.NO_HELLO
        if not self._fresh(echo, now):
            return Status.STALE
        self._proven, self._alive = now, True
        return Status.DONE

    def _start_probe(self, echo: int, values: bytes, now: int) -> Status:
        led, output, width = PROBE_VALUES.unpack(values)
        status = Status.NO_CHANNEL
        if output < self.limits.channels and output != led:
            status = self._start(echo, led, width, 0, 0, now)
        if status == Status.DONE:
            self._probe = Probe(led, output, armed=True, rises=self._probe.rises)
        return status

    def _start(self, echo: int, number: int, width: int, period: int, train: int, now: int) -> Status:
        if not self._greeted:
            return Status.NO_HELLO
        if not self._alive or not self._fresh(echo, now):
            return Status.STALE
        if number >= self.limits.channels:
            return Status.NO_CHANNEL
        channel, limits = self._channels[number], self.limits
        duration = train if period else width
        if width == 0 or width > limits.pulse_us or duration > limits.train_us:
            return Status.BEYOND_LIMIT
        if period and width * 1000 > period * limits.duty_permille:
            return Status.BEYOND_LIMIT
        if channel.heat + width * (1000 - limits.duty_permille) > self._allowance:
            return Status.TOO_SOON
        channel.active = channel.begins = True
        channel.width, channel.period, channel.duration = width, period, duration
        return Status.DONE

    def _off(self, which: int) -> Status:
        if which == ALL_CHANNELS:
            self._all_off()
        elif which < self.limits.channels:
            self._channels[which].active = self._channels[which].level = False
        else:
            return Status.NO_CHANNEL
        return Status.DONE

    def _write(self, kind: int, sequence: int, status: Status, now: int) -> bytes:
        active = sum(channel.active << number for number, channel in enumerate(self._channels))
        flags = self._greeted | self._alive << 1
        counts = self.trips & _COUNT, self.cuts & _COUNT, self.noise & _COUNT
        content = STATE.pack(kind | ANSWER, sequence, now, status, active, flags, *counts)
        if kind == Type.HELLO:
            limits = self.limits
            content += LIMITS.pack(
                VERSION,
                limits.channels,
                limits.watchdog_us,
                limits.pulse_us,
                limits.train_us,
                limits.duty_permille,
            )
        elif kind == Type.TIMES:
            probe = self._probe
            content += TIMES.pack(probe.lit | probe.answered << 1, probe.lit_at, probe.answered_at, probe.rises)
        return framed(content)
