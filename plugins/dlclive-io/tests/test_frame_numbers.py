"""Ranks of time stamps, without a decoder."""

from __future__ import annotations

from dlclive_io.video.frame_numbers import LOOK_AHEAD, FrameNumbers


def _numbers(stamps: list[int], period: float | None = None) -> FrameNumbers:
    numbers = FrameNumbers(ranked=True, period=period)
    for stamp in stamps:
        numbers.packet(stamp)
    return numbers


def test_the_decoding_order_does_not_matter() -> None:
    numbers = _numbers([0, 40, 20, 10, 30])
    assert [numbers.picture(stamp) for stamp in (0, 10, 20, 30, 40)] == [0, 1, 2, 3, 4]
    assert numbers.missing == 0


def test_lost_pictures_skip_their_number() -> None:
    numbers = _numbers([0, 10, 20, 30, 40, 50])
    assert [numbers.picture(stamp) for stamp in (0, 30)] == [0, 3]
    numbers.end()
    assert numbers.missing == 4


def test_a_late_picture_gets_no_number() -> None:
    numbers = _numbers([0, 10, 20, 30])
    assert [numbers.picture(stamp) for stamp in (0, 20, 10, 20, 30)] == [0, 2, None, None, 3]
    assert numbers.missing == 1


def test_two_frames_may_share_a_timestamp() -> None:
    """Matroska counts milliseconds, and some cameras take two frames in one."""
    numbers = _numbers([0, 1, 1, 2])
    assert [numbers.picture(stamp) for stamp in (0, 1, 1, 2)] == [0, 1, 2, 3]


def test_a_steady_clock_tells_how_many_frames_a_hole_holds() -> None:
    numbers = _numbers([0, 100, 200, 300], period=100)
    numbers.packet(1000, hole=True)
    numbers.packet(1100)
    assert [numbers.picture(stamp) for stamp in (0, 100, 200, 300, 1000, 1100)] == [0, 1, 2, 3, 10, 11]
    assert numbers.missing == 6


def test_a_pause_without_a_hole_loses_nothing() -> None:
    numbers = _numbers([0, 100, 200, 1000], period=100)
    assert [numbers.picture(stamp) for stamp in (0, 100, 200, 1000)] == [0, 1, 2, 3]
    assert numbers.missing == 0


def test_waiting_packets_are_bounded() -> None:
    numbers = FrameNumbers(ranked=True)
    for stamp in range(3 * LOOK_AHEAD):
        numbers.packet(stamp)
    assert len(numbers._waiting) == LOOK_AHEAD
    assert numbers.picture(3 * LOOK_AHEAD - 1) == 3 * LOOK_AHEAD - 1


def test_without_timestamps_failed_pictures_are_counted() -> None:
    numbers = FrameNumbers(ranked=False)
    assert numbers.picture(None) == 0
    numbers.failed()
    numbers.packet(None, lost=2)
    assert numbers.picture(None) == 4
    assert numbers.missing == 3
