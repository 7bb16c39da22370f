"""The state machine on an Arduino's processor gives the same answers as its twin in Python: its `int` has 16 bits."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from dlclive_processors.output.protocol import (
    CLOCK,
    LIMITS,
    ON_VALUES,
    PROBE_VALUES,
    VERSION,
    Limits,
    Type,
    message,
)
from dlclive_processors.simulator import MEGA, UNO, Board, ChipDevice, Device

MS = 1000

Make = Callable[..., list[str]]


@pytest.mark.parametrize(("board", "seed"), [(UNO, 0), (UNO, 1), (UNO, 2), (MEGA, 3)])
def test_the_state_machine_agrees_with_its_twin(
    make_chip: Make, tmp_path: Path, board: Board, seed: int, request: pytest.FixtureRequest
) -> None:
    """On a processor whose `int` has 16 bits: 1,200 messages, good and bad, at random times, and each answer the same."""
    source = random.Random(seed)
    limits = Limits(
        channels=source.choice([1, 2, 8]),
        pulse_us=source.choice([20 * MS, 1000 * MS, 3_000 * MS]),
        train_us=200 * MS,
        duty_permille=source.choice([100, 500, 1000]),
    )
    sketch = Path(__file__).parent / "firmware" / "agree.ino"
    twin = Device(limits)
    chip = ChipDevice(make_chip(tmp_path / "agree.csv", board, None, sketch, 500_000))
    request.addfinalizer(chip.close)
    elapsed = 10 * MS
    chip.tick(elapsed)

    def ask(text: bytes, wanted: int) -> bytes:
        nonlocal elapsed
        answer = chip.receive(text, elapsed)
        for _ in range(100):
            if len(answer) >= wanted:
                break
            elapsed += MS
            answer += chip.receive(b"", elapsed)
        return answer

    assert ask(LIMITS.pack(0, *(getattr(limits, name) for name in Limits.__slots__))[1:], 1) == b"\x01"
    now, echo, ons = source.getrandbits(32), 0, 0
    for _ in range(1200):
        now = (
            now + source.choice([1, 50, 700, 4 * MS, 4 * MS, 4 * MS, 4 * MS, 4 * MS, 4 * MS, source.randrange(70 * MS)])
        ) % CLOCK
        twin.tick(now)
        before = twin.levels
        if source.random() < 0.003:
            text, size, answers = b"", 0xFF, b""
            twin.connect()
        else:
            text = random_message(source, source.choice([echo, echo, echo, source.getrandbits(32)]))
            size, answers = len(text), twin.receive(text, now)
        expected = bytes((before, twin.levels, len(answers))) + answers
        assert ask(struct.pack("<IB", now, size) + text, len(expected)) == expected
        ons += before != 0
        echo = now if answers else echo
    assert ons > 15


def random_message(source: random.Random, echo: int) -> bytes:
    """A message as the host might send it, or one that no host would send."""
    kind = source.choice([*Type, *[Type.BEAT] * 5, *[Type.ON] * 4])
    if kind == Type.BYE and source.random() < 0.9:
        kind = Type.BEAT
    values = {
        Type.HELLO: bytes((source.choice([VERSION] * 6 + [VERSION + 1]),)),
        Type.ON: ON_VALUES.pack(
            source.choice([0, 0, 1, 2, 255]),
            source.choice([0, 500, 5 * MS, 20 * MS, source.getrandbits(32)]),
            source.choice([0, 0, 10 * MS, 40 * MS, source.getrandbits(32)]),
            source.choice([0, 100 * MS, source.getrandbits(32)]),
        ),
        Type.OFF: bytes((source.choice([0, 1, 2, 255]),)),
        Type.PROBE: PROBE_VALUES.pack(
            source.choice([0, 1, 1, 2]), source.choice([0, 0, 7]), source.choice([900, 9000])
        ),
    }.get(kind, b"")
    text = message(kind, source.choice([1, 2, source.getrandbits(16)]), echo, values)
    fate = source.random()
    if fate < 0.05:
        position = source.randrange(len(text))
        return text[:position] + source.randbytes(1) + text[position + 1 :]
    if fate < 0.08:
        return text[: source.randrange(len(text))]
    return source.randbytes(source.randrange(80)) if fate < 0.1 else text
