"""Frames that a network reorders do not count as lost."""

from __future__ import annotations

import numpy as np
import pytest
from dlclive_cameras.connection import Connection, GrabResult
from dlclive_cameras.frame_ids import FrameIds
from dlclive_cameras.live_camera import LiveCamera

IMAGE = np.zeros((4, 6), np.uint8)


class Numbers(Connection):
    """Yields frames with these camera frame numbers."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = list(ids)

    def grab(self, timeout: float) -> GrabResult:
        if not self.ids:
            raise TimeoutError
        number = self.ids.pop(0)
        return GrabResult(IMAGE, number / 100, number / 100, number)

    def close(self) -> None:
        pass


class Camera(LiveCamera):
    name = "camera"

    def __init__(self, ids: list[int]) -> None:
        super().__init__(reconnect=0)
        self.ids = ids

    def connect(self) -> Connection:
        return Numbers(self.ids)


def read(ids: list[int]) -> tuple[list[int], int]:
    """(index of each frame, number of lost frames)."""
    camera = Camera(ids)
    camera.open()
    return [camera.read(0.1).index for _ in ids], camera.lost


@pytest.mark.parametrize("start", [1, 100, 32_766, 40_000, 65_000, 70_000, 2**40])
@pytest.mark.parametrize(
    "order", [[0, 1, 2, 4, 3, 5], [0, 3, 2, 1, 4, 5], [0, 1, 4, 2, 3, 5], [0, 2, 1, 4, 3, 5], [0, 5, 1, 2, 3, 4]]
)
def test_each_frame_has_its_index(start: int, order: list[int]) -> None:
    assert read([start + offset for offset in order]) == (order, 0)


def test_across_the_wrap_of_16_bits() -> None:
    ids = [65_532, 65_534, 65_533, 1, 65_535, 2, 4, 3]
    assert read(ids) == ([0, 2, 1, 4, 3, 5, 7, 6], 0)


@pytest.mark.parametrize("start", [100, 40_000, 70_000])
def test_a_frame_that_never_arrives_stays_lost(start: int) -> None:
    assert read([start, start + 3, start + 2, start + 4]) == ([0, 3, 2, 4], 1)


@pytest.mark.parametrize(
    "ids", [[40_000, 1, 2, 3], [60_000, 0, 1, 2], [500, 1, 2, 3], [70_000, 1, 2, 3], [70_000, 69_990, 69_991, 69_992]]
)
def test_a_restarted_camera_loses_no_frames(ids: list[int]) -> None:
    assert read(ids) == ([0, 1, 2, 3], 0)


def test_a_duplicate_frame_does_not_reduce_the_lost_count() -> None:
    _, lost = read([10, 13, 11, 11, 14])
    assert lost >= 1


def test_the_memory_of_gaps_is_bounded() -> None:
    numbers = FrameIds()
    numbers.advance(1)
    assert numbers.advance(50_000) == 49_999
    assert len(numbers._missing) <= 256
