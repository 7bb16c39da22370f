"""Frames of a stream that waited: told apart from frames that come as they are sent, by their own times."""

from __future__ import annotations

import pytest
from dlclive_cameras.backlog import Backlog

FPS = 30.0


def held(came: list[float], sent: list[float | None]) -> list[int]:
    """The numbers of the frames that are left out."""
    backlog = Backlog(longest=5.0)
    return [number for number, (at, time) in enumerate(zip(came, sent, strict=True)) if backlog.holds(at, time)]


def times(count: int) -> list[float]:
    return [1 + number / FPS for number in range(count)]


def test_what_waited_while_the_stream_was_opened() -> None:
    sent = times(60)
    came = [max(time, 2.0 + 0.001 * number) for number, time in enumerate(sent)]  # opening took a second
    assert held(came, sent) == list(range(32))


def test_what_waited_during_a_stall() -> None:
    sent = times(300)
    came = [max(time, 6.0 + 0.0005 * number) if 4 < time < 6 else time for number, time in enumerate(sent)]
    left_out = held(came, sent)[1:]
    assert left_out[0] >= 90
    assert len(left_out) > 50
    told = [time for number, time in enumerate(sent) if number not in left_out and 4.04 < time < 6]
    assert all(
        6 - time < 0.2 for time in told[1:]
    )  # the first one after the stall is not known to be followed by others


def test_frames_that_come_in_pairs_are_all_told() -> None:
    sent = times(100)
    came = [sent[number | 1] for number in range(100)]
    assert held(came, sent) in ([0], [0, 1])


def test_a_reader_that_is_too_slow_is_given_frames_nevertheless() -> None:
    sent = times(600)
    came = [2.0 + 1.1 * number / FPS for number in range(600)]
    assert held(came, sent) == [0]


@pytest.mark.parametrize("scale", [0.001, 0.125, 8.0, 1000.0])
def test_times_in_another_unit_leave_nothing_out(scale: float) -> None:
    came = times(400)
    assert [number for number in held(came, [scale * time for time in came]) if number > 200] == []


def test_without_times_the_second_frame_decides() -> None:
    assert held(times(5), [None] * 5) == [0]
    assert held(times(5), [None, 1 / FPS, 2 / FPS, 3 / FPS, 4 / FPS]) == [0, 1]


def test_a_clock_that_is_set_anew_leaves_nothing_out() -> None:
    came = times(200)
    assert held(came, [time + 1000 if number < 100 else time for number, time in enumerate(came)]) == [0]
