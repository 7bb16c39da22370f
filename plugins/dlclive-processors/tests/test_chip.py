"""The sketch on an Arduino's processor, simulated cycle by cycle: its limits hold in its own time, whatever it receives.

The test moves the processor's time, so these tests are as exact on a busy computer as on an idle one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dlclive_processors.output.protocol import (
    ALL_CHANNELS,
    ON_VALUES,
    PROBE_VALUES,
    VERSION,
    Answer,
    Limits,
    Splitter,
    Status,
    Type,
    message,
    read_answer,
)
from dlclive_processors.simulator import MEGA, UNO, Board, ChipDevice, ChipRecord

MS = 1000
SLACK = 0.001
"""Seconds by which the sketch may be late. It looks at its clock once a loop, and a loop with a message in it takes 0.4 ms."""
BYTE = 1e6 / 11520
"""Microseconds that a byte takes at 115,200 baud."""

Make = Callable[..., list[str]]


class Bench:
    """A host that talks to the board, and moves its time."""

    def __init__(self, command: list[str], record: Path, limits: Limits) -> None:
        self.device, self._path, self.limits = ChipDevice(command), record, limits
        self.now, self.sequence, self.echo = 0, 0, 0
        self.answers: list[Answer] = []
        self._splitter = Splitter()

    def wait(self, us: float, data: bytes = b"") -> None:
        """Bytes arrive, and time passes."""
        self._hear(self.device.receive(data, self.now))
        self.now += round(us)
        self._hear(self.device.receive(b"", self.now))

    def _hear(self, data: bytes) -> None:
        for content in self._splitter.feed(data):
            answer = read_answer(content)
            assert answer is not None
            self.answers.append(answer)
            self.echo = answer.clock

    def text(self, kind: Type, values: bytes = b"", echo: int | None = None) -> bytes:
        self.sequence = (self.sequence + 1) & 0xFFFF
        return message(kind, self.sequence, self.echo if echo is None else echo, values)

    def say(self, kind: Type, values: bytes = b"", echo: int | None = None, us: float = 5 * MS) -> Answer:
        """Send a message, wait, if need be until it is answered, and return the answer."""
        before = len(self.answers)
        self.wait(us, self.text(kind, values, echo))
        while len(self.answers) == before:
            self.wait(0.1 * MS)
            assert len(self.answers) > before or self.now < 100e6
        assert self.answers[-1].sequence == self.sequence
        return self.answers[-1]

    def greet(self) -> None:
        self.say(Type.HELLO, bytes((VERSION,)), us=20 * MS)
        assert self.say(Type.BEAT).status == Status.DONE

    def on(self, width: int, period: int = 0, duration: int = 0, channel: int = 0) -> int:
        return self.say(Type.ON, ON_VALUES.pack(channel, width, period, duration)).status

    def beat(self, us: float) -> None:
        for _ in range(round(us / (5 * MS))):
            self.say(Type.BEAT)

    def record(self) -> ChipRecord:
        """What happened so far; nothing that the firmware promises was broken."""
        record = ChipRecord.read(self._path)
        assert record.broken_promises(self.limits, SLACK) == []
        return record


@pytest.fixture
def bench(make_chip: Make, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(board: Board = UNO, limits: Limits | None = None, *, greeted: bool = True) -> Bench:
        record = tmp_path / f"{len(made)}.csv"
        made.append(Bench(make_chip(record, board, limits), record, limits or Limits()))
        made[-1].wait(10 * MS)
        if greeted:
            made[-1].greet()
        return made[-1]

    yield make
    for each in made:
        each.device.close()


@pytest.mark.parametrize("board", [UNO, MEGA], ids=["Uno", "Mega"])
def test_a_pulse_is_as_long_as_commanded(bench: Callable[..., Bench], board: Board) -> None:
    """On both channels: the pins are those of the board."""
    host = bench(board)
    for channel in (0, 1):
        assert host.on(30 * MS, channel=channel) == Status.DONE
        host.beat(60 * MS)
        ((since, to),) = host.record().highs(channel)
        assert 0.03 <= to - since < 0.03 + SLACK
    assert host.answers[0].limits == Limits()


def test_a_train_has_its_pulses(bench: Callable[..., Bench]) -> None:
    host = bench()
    host.on(5 * MS, 20 * MS, 200 * MS, channel=1)
    host.beat(300 * MS)
    highs = host.record().highs(1)
    assert len(highs) == 10
    for number, (since, to) in enumerate(highs):
        assert since - highs[0][0] == pytest.approx(0.02 * number, abs=SLACK)
        assert to - since == pytest.approx(0.005, abs=SLACK)


@pytest.mark.parametrize("board", [UNO, MEGA], ids=["Uno", "Mega"])
@pytest.mark.parametrize("watchdog", [20, 50, 100])
def test_the_output_is_switched_off_when_the_beats_stop(
    bench: Callable[..., Bench], board: Board, watchdog: int
) -> None:
    host = bench(board, Limits(watchdog_us=watchdog * MS), greeted=False)
    host.say(Type.HELLO, bytes((VERSION,)), us=7 * MS)
    host.say(Type.BEAT)
    host.say(Type.ON, ON_VALUES.pack(0, 900 * MS, 0, 0))
    host.beat(100 * MS)
    assert host.device.levels == 1
    host.wait(2 * watchdog * MS)
    record = host.record()
    ((_, off),) = record.highs(0)
    after = off - record.proofs(watchdog / 1e3)[-1]
    assert watchdog / 1e3 <= after < watchdog / 1e3 + SLACK
    assert (host.say(Type.BEAT).trips, host.device.levels) == (1, 0)


def test_delayed_beats_do_not_prove_that_the_host_is_alive(bench: Callable[..., Bench]) -> None:
    """A host that died, whose bytes still come: half a second of them, all with the last answer that it had seen."""
    host = bench()
    host.on(900 * MS)
    last = host.echo
    replies = [host.say(Type.BEAT, echo=last).status for _ in range(100)]
    assert set(replies[:5]) == {Status.DONE}
    assert set(replies[12:]) == {Status.STALE}
    ((since, off),) = host.record().highs(0)
    assert 0.09 < off - since < 0.105


def test_nothing_is_on_before_the_host_has_greeted(bench: Callable[..., Bench]) -> None:
    host = bench(greeted=False)
    host.wait(50 * MS)
    assert host.on(10 * MS) == Status.NO_HELLO
    assert host.say(Type.BEAT).status == Status.NO_HELLO
    assert host.say(Type.HELLO, bytes((VERSION + 1,))).status == Status.WRONG_VERSION
    assert host.on(10 * MS) == Status.NO_HELLO
    assert host.record().pins == []


def test_a_board_that_restarts_switches_off_and_waits_to_be_greeted(bench: Callable[..., Bench]) -> None:
    host = bench()
    host.on(900 * MS)
    host.beat(50 * MS)
    assert host.device.levels == 1
    host.device.connect()
    assert host.device.levels == 0
    host.wait(20 * MS)
    assert host.on(900 * MS, channel=1) == Status.NO_HELLO
    host.greet()
    assert host.on(10 * MS, channel=1) == Status.DONE
    assert [levels for _, levels in host.record().pins] == [1, 0, 2] + [0] * (host.device.levels == 0)


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ((0, 1001 * MS, 0, 0), Status.BEYOND_LIMIT),
        ((0, 0, 0, 0), Status.BEYOND_LIMIT),
        ((0, 2**32 - 1, 0, 0), Status.BEYOND_LIMIT),
        ((0, 10 * MS, 20 * MS, 10_001 * MS), Status.BEYOND_LIMIT),
        ((0, 11 * MS, 20 * MS, 1000 * MS), Status.BEYOND_LIMIT),
        ((2, MS, 0, 0), Status.NO_CHANNEL),
        ((255, MS, 0, 0), Status.NO_CHANNEL),
    ],
)
def test_requests_beyond_the_limits_are_refused(
    bench: Callable[..., Bench], values: tuple[int, int, int, int], status: Status
) -> None:
    host = bench()
    assert host.say(Type.ON, ON_VALUES.pack(*values)).status == status
    assert host.record().pins == []


@pytest.mark.parametrize(("board", "duty"), [(UNO, 100), (UNO, 250), (UNO, 500), (MEGA, 250)])
def test_many_short_requests_do_not_add_up_to_a_long_one(bench: Callable[..., Bench], board: Board, duty: int) -> None:
    """A host gone mad asks for 10 ms every 5 ms: what it gets in the end is the duty cycle, and 100 ms in the beginning."""
    host = bench(board, Limits(pulse_us=100 * MS, duty_permille=duty))
    statuses = set()
    began = host.now
    for turn in range(400):
        if turn % 3 == 0:
            host.say(Type.BEAT)
        else:
            statuses.add(host.on(10 * MS))
    record = host.record()
    assert statuses == {Status.DONE, Status.TOO_SOON}
    on = sum(to - since for since, to in record.highs(0))
    share = duty / 1e3
    assert on == pytest.approx(share * (host.now - began) / 1e6 + 0.1 * (1 - share), abs=0.02)
    assert record.longest_high(0) > 0.08


def test_a_repeated_request_is_executed_once(bench: Callable[..., Bench]) -> None:
    host = bench()
    text = host.text(Type.ON, ON_VALUES.pack(0, 10 * MS, 0, 0))
    for _ in range(4):
        host.wait(5 * MS, text)
    assert {answer.status for answer in host.answers[-4:]} == {Status.DONE}
    ((since, to),) = host.record().highs(0)
    assert to - since == pytest.approx(0.01, abs=SLACK)


@pytest.mark.parametrize("board", [UNO, MEGA], ids=["Uno", "Mega"])
@pytest.mark.parametrize("flood", ["noise", "zeros", "no zeros", "stale beats", "requests", "offs of another channel"])
def test_a_flood_does_not_hold_the_watchdog(bench: Callable[..., Bench], board: Board, flood: str) -> None:
    """The line is full for 0.3 s, while the output is on and no beat comes: it is switched off in time."""
    host = bench(board)
    host.beat(100 * MS)
    host.on(900 * MS)
    source, size = random.Random(2), 3600
    if flood == "stale beats":
        data = b"".join(host.text(Type.BEAT, echo=0) for _ in range(size // 12))
    elif flood == "requests":
        data = b"".join(host.text(Type.ON, ON_VALUES.pack(1, MS, 0, 0)) for _ in range(size // 25))
    elif flood == "offs of another channel":
        data = b"".join(host.text(Type.OFF, b"\x01") for _ in range(size // 13))
    else:
        data = {"noise": source.randbytes(size), "zeros": bytes(size), "no zeros": b"\x07" * size}[flood]
    host.wait(size * BYTE, data)
    record = host.record()
    (_, off) = record.highs(0)[-1]
    assert 0.05 <= off - record.proofs(0.05)[-1] < 0.05 + SLACK
    host.wait(20 * MS)
    host.wait(5 * MS, bytes(3))
    assert host.say(Type.BEAT).trips == 1


def test_noise_and_half_messages(bench: Callable[..., Bench]) -> None:
    """A third of the messages spoiled: the others work, and nothing is on for longer than it was asked to be."""
    host, noise = bench(), random.Random(5)
    statuses: list[int] = []
    for turn in range(400):
        text = host.text(Type.BEAT) if turn % 4 else host.text(Type.ON, ON_VALUES.pack(turn % 8 // 4, 3 * MS, 0, 0))
        fate = noise.random()
        if fate < 0.15:
            at = noise.randrange(len(text))
            text = text[:at] + noise.randbytes(1) + text[at + 1 :]
        elif fate < 0.3:
            text = text[: noise.randrange(len(text))]
        before = len(host.answers)
        host.wait(5 * MS, text)
        statuses += [answer.status for answer in host.answers[before:] if answer.type == Type.ON]
    assert statuses.count(Status.DONE) > 40
    assert host.answers[-1].noise > 30
    for channel in (0, 1):
        assert len(host.record().highs(channel)) > 20
        assert host.record().longest_high(channel) < 0.003 + SLACK


@pytest.mark.parametrize("seed", range(3))
def test_whatever_arrives(bench: Callable[..., Bench], seed: int) -> None:
    """Messages at random, good and bad, in 2 s of the processor's time: no promise is broken."""
    source = random.Random(seed)
    limits = Limits(pulse_us=source.choice([20, 200]) * MS, train_us=300 * MS, duty_permille=source.choice([100, 500]))
    host = bench(UNO, limits)
    until = host.now + 2000 * MS
    while host.now < until:
        kind = source.choice([Type.BEAT, Type.BEAT, Type.BEAT, Type.ON, Type.ON, Type.OFF, Type.HELLO])
        values = {
            Type.HELLO: bytes((source.choice([VERSION, VERSION, 9]),)),
            Type.OFF: bytes((source.choice([0, 1, 2, ALL_CHANNELS]),)),
            Type.ON: ON_VALUES.pack(
                source.choice([0, 0, 1, 2]),
                source.choice([0, 500, 5 * MS, 20 * MS, 150 * MS, source.getrandbits(32)]),
                source.choice([0, 0, 10 * MS, 60 * MS, source.getrandbits(32)]),
                source.choice([100 * MS, source.getrandbits(32)]),
            ),
        }.get(kind, b"")
        if kind == Type.HELLO and source.random() < 0.9:
            kind, values = Type.BEAT, b""
        text = host.text(kind, values, echo=source.choice([None] * 9 + [source.getrandbits(32)]))
        if source.random() < 0.1:
            text = source.choice([text[:5], source.randbytes(40), text + text, b""])
        host.wait(source.choice([2, 3, 4, 5, 5, 5, 5, 5, 60 if source.random() < 0.1 else 5]) * MS, text)
    assert len(host.record().pins) > 10


@pytest.mark.parametrize("board", [UNO, MEGA], ids=["Uno", "Mega"])
def test_the_stopwatch_is_right_to_a_tenth_of_a_millisecond(bench: Callable[..., Bench], board: Board) -> None:
    """From the LED's pin to the output's, against the cycles at which the pins of the processor changed."""
    host = bench(board)
    for wait in (5, 12, 31):
        host.say(Type.PROBE, PROBE_VALUES.pack(1, 0, 60 * MS))
        host.beat(wait * MS)
        host.on(10 * MS)
        host.beat(150 * MS)
        times = host.say(Type.TIMES).times
        assert times is not None
        (led, _), (output, _) = host.record().highs(1)[-1], host.record().highs(0)[-1]
        assert (times.lit, times.answered) == (True, True)
        assert (times.answered_at - times.lit_at) / 1e6 == pytest.approx(output - led, abs=1e-4)
