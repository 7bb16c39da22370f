"""The device: the compiled firmware and its Python twin agree, and neither lets an output stay on."""

from __future__ import annotations

import ctypes
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dlclive_processors.output.protocol import (
    ALL_CHANNELS,
    CLOCK,
    ON_VALUES,
    PROBE_VALUES,
    VERSION,
    Answer,
    Limits,
    ProbeTimes,
    Splitter,
    Status,
    Type,
    message,
    read_answer,
)
from dlclive_processors.simulator import CompiledDevice, Device, compile_firmware

MS = 1000
HERE = Path(__file__).parent
SKETCH = HERE.parent / "firmware" / "dlclive_output"


class Host:
    """Talks to a device, with a clock that the test moves."""

    def __init__(self, device: Device | CompiledDevice, now: int = CLOCK - 3_000_000) -> None:
        self.device, self.now, self.sequence, self.echo = device, now, 0, 0
        self.splitter = Splitter()

    def send(self, kind: Type, values: bytes = b"", echo: int | None = None) -> Answer:
        self.sequence = (self.sequence + 1) & 0xFFFF
        text = message(kind, self.sequence, self.echo if echo is None else echo, values)
        reply = self.hear(self.device.receive(text, self.now))
        self.device.tick(self.now)  # what a message has changed shows at the pins, and a train begins
        return reply

    def hear(self, data: bytes) -> Answer:
        (content,) = self.splitter.feed(data)
        reply = read_answer(content)
        assert reply is not None
        assert reply.sequence == self.sequence
        self.echo = reply.clock
        return reply

    def greet(self) -> Answer:
        reply = self.send(Type.HELLO, bytes((VERSION,)))
        self.send(Type.BEAT)
        return reply

    def on(self, width: int, period: int = 0, duration: int = 0, channel: int = 0) -> Answer:
        return self.send(Type.ON, ON_VALUES.pack(channel, width, period, duration))

    def wait(self, us: int, beats: bool = True, step: int = 500) -> list[tuple[int, int]]:
        """Let time pass; return (us since then, levels) at each change."""
        began, changes = self.now, []
        for _ in range(us // step):
            before = self.device.levels
            self.now = (self.now + step) % CLOCK
            self.device.tick(self.now)
            if beats and (self.now // step) % 10 == 0:
                self.send(Type.BEAT)
            if self.device.levels != before:
                changes.append(((self.now - began) % CLOCK, self.device.levels))
        return changes


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("g++") is None:
        pytest.skip("there is no C++ compiler")
    return compile_firmware(SKETCH, tmp_path_factory.mktemp("firmware") / "device.so")


@pytest.fixture(params=["firmware", "python"])
def make(request: pytest.FixtureRequest) -> Callable[..., Host]:
    if request.param == "python":
        return lambda **limits: Host(Device(Limits(**limits)))
    library = request.getfixturevalue("library")
    return lambda **limits: Host(CompiledDevice(library, Limits(**limits)))


def test_hello_is_answered_with_the_limits(make: Callable[..., Host]) -> None:
    limits = Limits(channels=3, watchdog_us=40 * MS, pulse_us=7, train_us=8, duty_permille=9)
    reply = make(channels=3, watchdog_us=40 * MS, pulse_us=7, train_us=8, duty_permille=9).greet()
    assert reply.limits == limits
    assert reply.greeted


def test_outputs_are_switched_off_when_the_beats_stop(make: Callable[..., Host]) -> None:
    host = make()
    host.greet()
    assert host.on(1000 * MS).status == Status.DONE
    assert host.wait(300 * MS) == []
    assert host.device.levels == 1
    ((after, levels),) = host.wait(300 * MS, beats=False)
    assert levels == 0
    assert 45 * MS <= after <= 50 * MS  # the last beat was up to 5 ms before
    assert host.on(MS).status == Status.STALE  # the next one needs a living host
    reply = host.send(Type.BEAT)
    assert (reply.status, reply.trips, reply.alive) == (Status.DONE, 1, True)
    assert host.device.levels == 0


def test_delayed_beats_do_not_prove_that_the_host_is_alive(make: Callable[..., Host]) -> None:
    """A host that died 200 ms ago, whose bytes still come: what counts is which of the device's answers it had seen."""
    host = make()
    host.greet()
    host.on(1000 * MS)
    last = host.echo
    replies = []
    for _ in range(40):
        host.now = (host.now + 5 * MS) % CLOCK
        replies.append((host.send(Type.BEAT, echo=last).status, host.device.levels))
    assert replies[0] == (Status.DONE, 1)
    assert {status for status, _ in replies[9:]} == {Status.STALE}  # 50 ms after the answer that it echoes
    assert [levels for _, levels in replies] == [1] * 18 + [0] * 22  # 95 ms, 50 ms after the last that counted


@pytest.mark.parametrize("before", ["power-up", "connect", "bye", "other version"])
def test_nothing_is_switched_on_before_hello(make: Callable[..., Host], before: str) -> None:
    host = make()
    if before != "power-up":
        host.greet()
        host.on(1000 * MS)
        assert host.device.levels == 1
    if before == "connect":
        host.device.connect()
    elif before == "bye":
        host.send(Type.BYE)
    elif before == "other version":
        assert host.send(Type.HELLO, bytes((VERSION - 1,))).status == Status.WRONG_VERSION
    assert host.device.levels == 0
    assert host.send(Type.BEAT).status == Status.NO_HELLO
    assert host.on(MS).status == Status.NO_HELLO
    assert host.device.levels == 0


def test_a_train_has_its_pulses(make: Callable[..., Host]) -> None:
    host = make()
    host.greet()
    host.on(5 * MS, 20 * MS, 100 * MS, channel=1)
    edges = host.wait(200 * MS)
    assert [when // MS for when, _ in edges] == [5, 20, 25, 40, 45, 60, 65, 80, 85]
    assert [levels for _, levels in edges] == [0, 2] * 4 + [0]
    host.on(30 * MS)
    assert host.wait(200 * MS) == [(30 * MS, 0)]
    host.on(500 * MS)
    host.wait(20 * MS)
    host.send(Type.OFF, bytes((ALL_CHANNELS,)))
    assert host.device.levels == 0


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ((0, 1001 * MS, 0, 0), Status.BEYOND_LIMIT),
        ((0, 0, 0, 0), Status.BEYOND_LIMIT),
        ((0, 10 * MS, 20 * MS, 10_001 * MS), Status.BEYOND_LIMIT),
        ((0, 11 * MS, 20 * MS, 1000 * MS), Status.BEYOND_LIMIT),
        ((2, MS, 0, 0), Status.NO_CHANNEL),
        ((255, MS, 0, 0), Status.NO_CHANNEL),
    ],
)
def test_commands_beyond_the_limits_are_refused(
    make: Callable[..., Host], values: tuple[int, int, int, int], status: Status
) -> None:
    host = make()
    host.greet()
    assert host.send(Type.ON, ON_VALUES.pack(*values)).status == status
    assert host.device.levels == 0


def test_many_short_commands_do_not_add_up_to_a_long_one(make: Callable[..., Host]) -> None:
    """A host gone mad asks for 10 ms again and again: never more than 100 ms in one piece, and half of the time."""
    host = make(pulse_us=100 * MS, duty_permille=250)
    host.greet()
    high, longest, run, answers = 0, 0, 0, set()
    for turn in range(4000):
        if turn % 3 == 0:
            answers.add(host.on(10 * MS).status)
        host.wait(1 * MS, step=MS)
        if turn % 5 == 0:
            host.send(Type.BEAT)
        run = run + 1 if host.device.levels else 0
        high, longest = high + bool(host.device.levels), max(longest, run)
    assert answers == {Status.DONE, Status.TOO_SOON}
    assert longest <= 100
    assert 800 <= high <= 1100


def test_a_repeated_command_is_executed_once(make: Callable[..., Host]) -> None:
    host = make()
    host.greet()
    text = message(Type.ON, 77, host.echo, ON_VALUES.pack(0, 10 * MS, 0, 0))
    host.sequence = 77
    assert host.hear(host.device.receive(text, host.now)).status == Status.DONE
    host.device.tick(host.now)
    host.wait(8 * MS, beats=False)
    host.sequence = 77
    assert host.hear(host.device.receive(text, host.now)).status == Status.DONE
    assert host.wait(20 * MS, beats=False) == [(2 * MS, 0)]


def test_the_next_message_after_noise_is_understood(make: Callable[..., Host]) -> None:
    """Half a message, a wrong byte, a flood: the next whole message, or the one after, is understood."""
    noise = random.Random(4)
    host = make()
    host.greet()
    for turn in range(300):
        whole = message(Type.BEAT, 1, 0)
        broken = [
            noise.randbytes(noise.randrange(1, 200)),
            whole[: noise.randrange(1, len(whole))],
            bytes(byte ^ (position == 3) for position, byte in enumerate(whole)),
            b"\0" * 5,
        ][turn % 4]
        host.splitter.feed(host.device.receive(broken, host.now) + b"\0")
        answers = [host.device.receive(message(Type.BEAT, n, host.echo), host.now) for n in (2, 3)]
        host.sequence = 3
        host.hear(answers[1])
        host.now = (host.now + MS) % CLOCK


def random_input(source: random.Random, echo: int) -> bytes:
    kind = source.choice([*Type, Type.BEAT, Type.BEAT, Type.ON])
    values = {
        Type.HELLO: bytes((source.choice([VERSION, VERSION, VERSION, 1]),)),
        Type.ON: ON_VALUES.pack(
            source.choice([0, 0, 1, 2, 255]),
            source.choice([0, 500, 5000, 20_000, source.getrandbits(32)]),
            source.choice([0, 0, 10_000, 40_000, source.getrandbits(32)]),
            source.choice([0, 100_000, source.getrandbits(32)]),
        ),
        Type.OFF: bytes((source.choice([0, 1, 2, 255]),)),
        Type.PROBE: PROBE_VALUES.pack(
            source.choice([0, 1, 1, 2]), source.choice([0, 0, 0, 7]), source.choice([900, 9000])
        ),
    }.get(kind, b"")
    if kind in (Type.HELLO, Type.BYE) and source.random() < 0.7:
        kind, values = Type.BEAT, b""
    text = message(kind, source.choice([1, 2, source.getrandbits(16)]), echo, values)
    fate = source.random()
    if fate < 0.05:
        position = source.randrange(len(text))
        text = text[:position] + source.randbytes(1) + text[position + 1 :]
    elif fate < 0.08:
        text = text[: source.randrange(len(text))]
    elif fate < 0.1:
        text = source.randbytes(source.randrange(80))
    return text


@pytest.mark.parametrize("seed", range(10))
def test_firmware_and_simulator_agree(library: Path, seed: int) -> None:
    """10 x 10,000 messages, good and bad, at random times: the same answers and the same levels after each."""
    source = random.Random(seed)
    limits = Limits(
        channels=source.choice([1, 2, 8]),
        watchdog_us=50_000,
        pulse_us=source.choice([20_000, 1_000_000]),
        train_us=200_000,
        duty_permille=source.choice([0, 100, 500, 1000]),
    )
    twin, firmware = Device(limits), CompiledDevice(library, limits)
    now, echo, ons = source.getrandbits(32), 0, 0
    for _ in range(10_000):
        now = (now + source.choice([1, 50, 700, 4000, 4000, source.randrange(70_000)])) % CLOCK
        if source.random() < 0.003:
            twin.connect()
            firmware.connect()
        twin.tick(now)
        firmware.tick(now)
        assert twin.levels == firmware.levels
        text = random_input(source, source.choice([echo, echo, echo, source.getrandbits(32)]))
        answers = twin.receive(text, now)
        assert answers == firmware.receive(text, now)
        assert twin.levels == firmware.levels
        ons += twin.levels != 0
        if answers:
            echo = now
    assert ons > (30 if limits.duty_permille else 0)


def test_the_sketch_drives_its_pins(tmp_path: Path) -> None:
    """Compiled against a small Arduino.h: pins are low before they are outputs, and off when the port is closed."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    includes = ["-I", str(SKETCH), "-I", str(HERE / "firmware")]
    arguments = ["-std=c++11", "-Wall", "-Werror", "-shared", "-fPIC", *includes, "-o", str(tmp_path / "sketch.so")]
    subprocess.run([compiler, *arguments, str(HERE / "firmware" / "sketch.cpp")], check=True, timeout=120)
    library = ctypes.CDLL(str(tmp_path / "sketch.so"))
    splitter, text = Splitter(), ctypes.create_string_buffer(256)
    echo, now = 0, 0

    def loop(data: bytes = b"", is_open: bool = True, room: int = 64) -> list[Answer | None]:
        nonlocal now, echo
        now += MS
        library.sketch_send(data, ctypes.c_size_t(len(data)))
        library.sketch_loop(ctypes.c_uint32(now), is_open, room)
        size = library.sketch_take(text)
        answers = [read_answer(content) for content in splitter.feed(text.raw[:size])]
        echo = answers[-1].clock if answers and answers[-1] else echo
        return answers

    library.sketch_setup()
    assert (library.sketch_mode(13), library.sketch_level(13), library.sketch_highs(13)) == (1, 0, 0)
    loop()
    (reply,) = loop(message(Type.HELLO, 1, 0, bytes((VERSION,))))
    assert reply is not None
    assert reply.limits == Limits()
    loop(message(Type.BEAT, 2, echo))
    loop(message(Type.ON, 3, echo, ON_VALUES.pack(0, 500 * MS, 0, 0)))
    assert (library.sketch_level(13), library.sketch_level(3)) == (1, 0)
    assert loop(message(Type.BEAT, 4, echo), room=3) == []  # an answer that would have to wait is not given
    assert library.sketch_level(13) == 1
    loop(is_open=False)
    assert library.sketch_level(13) == 0
    loop(message(Type.ON, 5, echo, ON_VALUES.pack(0, 500 * MS, 0, 0)))
    assert library.sketch_level(13) == 0


def test_the_stopwatch_times_the_output_that_answers_the_led(make: Callable[..., Host]) -> None:
    host = make()
    host.greet()
    host.on(2 * MS)  # before the LED: no answer
    host.wait(20 * MS)
    assert host.send(Type.PROBE, PROBE_VALUES.pack(1, 0, 100 * MS)).status == Status.DONE
    lit = host.now
    assert host.device.levels == 2
    times = host.send(Type.TIMES).times
    assert times is not None
    assert (times.lit, times.answered, times.lit_at, times.rises) == (True, False, lit, 0)
    host.wait(37 * MS)
    host.on(10 * MS)
    answered = host.now
    host.wait(20 * MS)
    host.on(10 * MS)  # a second answer counts as a rise, and changes no time
    host.wait(60 * MS)
    assert host.device.levels == 0  # the LED is on for as long as any pulse
    times = host.send(Type.TIMES).times
    assert times == ProbeTimes(True, True, lit, answered, 2)


@pytest.mark.parametrize(
    ("led", "output", "width", "status"),
    [
        (1, 1, 1000, Status.NO_CHANNEL),
        (2, 0, 1000, Status.NO_CHANNEL),
        (1, 2, 1000, Status.NO_CHANNEL),
        (1, 0, 1_000_001, Status.BEYOND_LIMIT),
        (1, 0, 0, Status.BEYOND_LIMIT),
    ],
)
def test_an_led_has_the_limits_of_an_output(
    make: Callable[..., Host], led: int, output: int, width: int, status: Status
) -> None:
    host = make()
    host.greet()
    assert host.send(Type.PROBE, PROBE_VALUES.pack(led, output, width)).status == status
    assert host.device.levels == 0
    times = host.send(Type.TIMES).times
    assert times == ProbeTimes(False, False, 0, 0, 0)


def test_an_led_needs_a_living_host(make: Callable[..., Host]) -> None:
    host = make()
    values = PROBE_VALUES.pack(1, 0, 900 * MS)
    assert host.send(Type.PROBE, values).status == Status.NO_HELLO
    host.greet()
    host.send(Type.PROBE, values)
    assert host.device.levels == 2
    host.wait(60 * MS, beats=False)
    assert host.device.levels == 0
    assert host.send(Type.PROBE, values).status == Status.STALE
