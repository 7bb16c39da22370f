"""Live cameras whose sessions take frames of the same moment."""

import threading

import numpy as np

from dlclive_core import Frame
from dlclive_core.views.aligned_slots import AlignedSlots

IMAGE = np.zeros((1, 1), np.uint8)


def slots(count: int = 2):
    group = AlignedSlots([lambda frame: frame.captured_at] * count, tolerance=0.004)
    return [group.slot(camera, threading.Condition()) for camera in range(count)]


def put(slot, *numbers: int) -> None:
    for number in numbers:
        slot.put(Frame(IMAGE, number, number / 100))


def taken(slot) -> list[int]:
    return [frame.index for frame in slot.poll()]


def test_alone_a_slot_hands_out_its_newest_frame() -> None:
    left, _ = slots()
    put(left, 1, 2, 3)
    assert taken(left) == [3]
    assert taken(left) == []
    assert left.dropped == 2


def test_the_newest_moment_of_both_is_taken_although_one_has_a_newer_frame() -> None:
    left, right = slots()
    put(left, 1, 2, 3)
    put(right, 1, 2)
    assert taken(left) == [2]
    put(right, 3)
    assert taken(right) == [2]
    assert taken(left) == [3]
    assert taken(right) == [3]
    assert (left.dropped, right.dropped) == (1, 1)


def test_a_frame_that_arrives_later_is_taken_if_its_partner_was() -> None:
    left, right = slots()
    put(left, 5)
    assert taken(left) == [5]
    put(right, 4, 5, 6)
    assert taken(right) == [5]


def test_a_promised_frame_is_kept_while_newer_ones_come() -> None:
    left, right = slots()
    put(left, 1)
    put(right, 1)
    assert taken(left) == [1]
    put(right, *range(2, 9))
    assert taken(right) == [1]
    assert right.dropped == 4
    assert taken(right) == [8]


def test_a_dead_camera_holds_nobody_up() -> None:
    left, right, _ = slots(3)
    for number in range(1, 20):
        put(left, number)
        put(right, number)
        assert taken(left) == [number]
        assert taken(right) == [number]


def test_frames_without_a_time_are_handed_out_all_the_same() -> None:
    left, right = slots()
    left.put(Frame(IMAGE, 1, float("nan")))
    put(right, 1)
    assert taken(left) == [1]
    assert taken(right) == [1]


def test_after_the_end_one_frame_is_taken_and_the_others_are_counted() -> None:
    left, right = slots()
    put(left, 1, 2, 3)
    put(right, 2)
    left.end()
    assert not left.is_over
    assert taken(left) == [2]
    assert left.is_over
    assert (left.dropped, left.left) == (1, 1)
    assert not left.put(Frame(IMAGE, 9, 0.09))
    assert left.left == 2
    put(right, 3)
    right.drain()
    assert right.left == 2
