"""Backlog recognises outdated frames of a stream by their timestamps."""

from __future__ import annotations

import pytest
from dlclive_cameras.backlog import Backlog

FPS = 30.0


def held(came: list[float], sent: list[float | None]) -> list[int]:
    """The numbers of the skipped frames."""
    backlog = Backlog(longest=5.0)
    return [number for number, (at, time) in enumerate(zip(came, sent, strict=True)) if backlog.holds(at, time)]


def times(count: int) -> list[float]:
    return [1 + number / FPS for number in range(count)]


def test_frames_that_waited_during_opening_are_skipped() -> None:
    sent = times(60)
    came = [max(time, 2.0 + 0.001 * number) for number, time in enumerate(sent)]  # opening took a second
    assert held(came, sent) == list(range(32))


def test_frames_that_waited_during_a_stall_are_skipped() -> None:
    sent = times(300)
    came = [max(time, 6.0 + 0.0005 * number) if 4 < time < 6 else time for number, time in enumerate(sent)]
    left_out = held(came, sent)[1:]
    assert left_out[0] >= 90
    assert len(left_out) > 50
    reported = [time for number, time in enumerate(sent) if number not in left_out and 4.04 < time < 6]
    assert all(6 - time < 0.2 for time in reported[1:])  # no newer frame is known behind the first one after the stall


def test_frames_that_arrive_in_pairs_are_all_kept() -> None:
    sent = times(100)
    came = [sent[number | 1] for number in range(100)]
    assert held(came, sent) in ([0], [0, 1])


def test_a_slow_reader_still_gets_frames() -> None:
    sent = times(600)
    came = [2.0 + 1.1 * number / FPS for number in range(600)]
    assert held(came, sent) == [0]


@pytest.mark.parametrize("scale", [0.001, 0.125, 8.0, 1000.0])
def test_timestamps_in_another_unit_skip_nothing(scale: float) -> None:
    came = times(400)
    assert [number for number in held(came, [scale * time for time in came]) if number > 200] == []


def test_without_timestamps_the_second_frame_decides() -> None:
    assert held(times(5), [None] * 5) == [0]
    assert held(times(5), [None, 1 / FPS, 2 / FPS, 3 / FPS, 4 / FPS]) == [0, 1]


def test_a_reset_clock_skips_nothing() -> None:
    came = times(200)
    assert held(came, [time + 1000 if number < 100 else time for number, time in enumerate(came)]) == [0]
