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


def test_packets_made_by_damage_do_not_count() -> None:
    numbers = _numbers([0, 100, 200], period=100)
    for stamp in (301, 303, 400, 500):
        numbers.packet(stamp, hole=True)
    assert [numbers.picture(stamp) for stamp in (0, 100, 200, 400, 500)] == [0, 1, 2, 4, 5]
    assert numbers.missing == 1


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


def _decode_order(numbers: FrameNumbers, count: int) -> None:
    for _ in range(count):
        numbers.packet(None)


def test_without_timestamps_pictures_are_counted() -> None:
    numbers = FrameNumbers(ranked=False)
    _decode_order(numbers, 4)
    assert [numbers.picture(None, packet=packet, is_key=packet == 0) for packet in (0, 2, 1, 3)] == [0, 1, 2, 3]
    numbers.end()
    assert numbers.missing == 0


def test_after_a_failure_nothing_is_numbered_up_to_the_next_key_frame() -> None:
    """I0 P3 B1 B2 P6 B4 B5 I9 B7 B8 P12 in decoding order; P6 fails, and the decoder gives B4 and not B5."""
    numbers = FrameNumbers(ranked=False)
    _decode_order(numbers, 5)
    assert [numbers.picture(None, packet=packet, is_key=packet == 0) for packet in (0, 2, 3, 1)] == [0, 1, 2, 3]
    numbers.failed()
    _decode_order(numbers, 6)
    assert numbers.picture(None, packet=5) is None
    assert [numbers.picture(None, packet=packet) for packet in (8, 9)] == [None, None]  # shown before the key frame
    assert numbers.picture(None, packet=7, is_key=True) == 9
    assert numbers.picture(None, packet=10) == 10
    numbers.end()
    assert numbers.missing == 5


def test_a_key_frame_that_the_decoder_held_back_tells_nothing_about_later_damage() -> None:
    numbers = FrameNumbers(ranked=False)
    _decode_order(numbers, 4)
    assert numbers.picture(None, packet=0, is_key=True) == 0
    numbers.packet(None, lost=1)
    assert numbers.picture(None, packet=2, is_key=True) is None
    _decode_order(numbers, 2)
    assert numbers.picture(None, packet=6, is_key=True) == 6


def test_packets_without_a_picture_are_not_losses() -> None:
    """Some encoders write empty packets where a picture repeats."""
    numbers = FrameNumbers(ranked=False)
    _decode_order(numbers, 8)
    assert [numbers.picture(None, packet=packet, is_key=packet in (0, 5)) for packet in (0, 1, 3, 4, 5, 6)] == list(
        range(6)
    )
    numbers.failed()
    _decode_order(numbers, 4)
    assert numbers.picture(None, packet=8) is None
    assert numbers.picture(None, packet=10, is_key=True) == 9
    assert numbers.missing == 3


def test_fields_are_counted_with_their_failures() -> None:
    numbers = FrameNumbers(ranked=True)
    numbers.count_only()
    assert numbers.picture(None) == 0
    numbers.failed()
    numbers.packet(None, lost=2)
    assert numbers.picture(None) == 4
    assert numbers.missing == 3
