"""The judge of a chip's record notices each promise that is broken. Records are made by hand, so this needs no simulator."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlclive_processors.output.protocol import STATE, VERSION, Limits, Type, framed, message
from dlclive_processors.simulator import ChipRecord

LIMITS = Limits(channels=2, watchdog_us=50_000, pulse_us=100_000, duty_permille=250)


class Writer:
    """Writes a record; times in milliseconds."""

    def __init__(self, path: Path) -> None:
        self._path, self._lines = path, []

    def note(self, ms: float, what: str, value: int) -> Writer:
        self._lines.append((round(16_000 * ms), f"{what},{value}"))
        return self

    def host(self, ms: float, kind: Type, echo_ms: float = 0, values: bytes = b"") -> Writer:
        for byte in message(kind, 1, round(1e3 * echo_ms), values):
            self.note(ms, "rx", byte)
        return self

    def device(self, ms: float) -> Writer:
        """An answer with the clock of that moment."""
        for byte in framed(STATE.pack(0x82, 1, round(1e3 * ms), 0, 0, 3, 0, 0, 0)):
            self.note(ms, "tx", byte)
        return self

    def beats(self, since: int, to: int) -> Writer:
        for ms in range(since, to, 5):
            self.device(ms).host(ms + 1, Type.BEAT, echo_ms=ms)
        return self

    def pins(self, *changes: tuple[float, int]) -> Writer:
        for ms, levels in changes:
            self.note(ms, "pins", levels)
        return self

    def broken(self) -> list[str]:
        lines = [f"{cycle},{rest}\n" for cycle, rest in sorted(self._lines, key=lambda line: line[0])]
        self._path.write_text("".join(lines), "ascii")
        return ChipRecord.read(self._path).broken_promises(LIMITS, 0.001)


@pytest.fixture
def record(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "record.csv").host(10, Type.HELLO, values=bytes((VERSION,)))


def test_a_board_that_keeps_its_promises(record: Writer) -> None:
    assert record.beats(15, 300).pins((40, 1), (140, 0), (300, 2), (340, 0)).broken() == []


def test_high_for_too_long(record: Writer) -> None:
    assert record.beats(15, 300).pins((40, 1), (142, 0)).broken()[0] == "channel 0 high for 102.000 ms"


def test_high_until_the_end_of_the_record(record: Writer) -> None:
    assert record.beats(15, 300).pins((40, 2)).broken()[0] == "channel 1 high for 256.000 ms"


def test_many_pulses_beyond_the_duty_cycle(record: Writer) -> None:
    record.beats(15, 600)
    for ms in range(40, 500, 20):
        record.pins((ms, 2), (ms + 10, 0))
    (broken,) = record.broken()
    assert broken == "channel 1 on for 117.500 ms more than the duty cycle"


def test_pulses_far_apart_are_within_the_duty_cycle(record: Writer) -> None:
    record.beats(15, 900)
    for ms in range(40, 900, 40):
        record.pins((ms, 1), (ms + 10, 0))
    assert record.broken() == []


@pytest.mark.parametrize("end", ["beats stop", "beats are stale", "beats have an echo that was never sent", "bye"])
def test_high_without_a_host(record: Writer, end: str) -> None:
    record.beats(15, 41).pins((40, 1), (120, 0))
    for ms in range(70, 120, 5):
        if end != "beats stop":
            record.host(ms, Type.BEAT, echo_ms={"beats are stale": 15, "bye": ms - 5}.get(end, ms - 1))
    if end == "bye":
        record.host(43, Type.BYE)
        for ms in range(65, 115, 5):
            record.device(ms)
    assert record.broken()[0] == "high 79.000 ms after the last proof of life"


def test_high_after_a_restart_without_a_hello(record: Writer) -> None:
    record.beats(15, 100).note(60, "reset", 0).pins((80, 1), (90, 0))
    assert record.broken() == ["high inf ms after the last proof of life"]


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "record.csv"
    path.write_text("16000,pins,1\n32000,pi", "ascii")
    assert ChipRecord.read(path).pins == [(0.001, 1)]
