"""Which frames of an endless series are kept."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from dlclive_io.outliers.spread import Spread
from hypothesis import given
from hypothesis import strategies as st

Item = tuple[float, float, bool]  # seconds, score, urgent

STEPS = st.floats(0, 40) | st.sampled_from([0.0, 0.01, 0.5, 1.0, 1000.0])
SERIES = st.lists(st.tuples(STEPS, st.integers(1, 9).map(lambda number: number / 10), st.booleans()), max_size=200)


class Kept:
    """What a sink does with a Spread, checked at every step."""

    def __init__(self, most: int, distance: float) -> None:
        self.most, self.distance = most, distance
        self.stored: set[int] = set()
        self.spread: Spread[int] = Spread(most, distance, self.stored.discard)
        self.offered: list[Item] = []

    def offer(self, seconds: float, score: float, urgent: bool) -> bool:
        number = len(self.offered)
        self.offered.append((seconds, score, urgent))
        taken = self.spread.takes(seconds, score, urgent=urgent)
        if taken:
            self.spread.add(seconds, score, number, urgent=urgent)
            if number in self.spread.items:
                self.stored.add(number)
        assert set(self.spread.items) == self.stored
        assert len(self.stored) <= self.most
        return taken

    def series(self, steps: list[Item]) -> None:
        seconds = 0.0
        for step, score, urgent in steps:
            seconds += step
            self.offer(seconds, score, urgent)

    @property
    def kept(self) -> list[Item]:
        return [self.offered[number] for number in self.spread.items]


@given(SERIES, st.integers(1, 12), st.floats(0.01, 5))
def test_never_more_than_the_most_and_every_stretch_has_one(steps: list[Item], most: int, distance: float) -> None:
    kept = Kept(most, distance)
    kept.series(steps)
    bins = {math.floor(seconds / kept.spread.width) for seconds, _, _ in kept.kept}
    assert len(bins) == len(kept.kept)
    for seconds, _, _ in kept.offered:
        number = math.floor(seconds / kept.spread.width)
        assert number in bins or number - 1 in bins


@given(SERIES, st.integers(1, 12), st.floats(0.01, 5))
def test_frames_that_are_not_marked_keep_their_distance(steps: list[Item], most: int, distance: float) -> None:
    kept = Kept(most, distance)
    kept.series([(step, score, False) for step, score, _ in steps])
    assert all(after[0] - before[0] >= distance for before, after in pairwise(kept.kept))


@given(SERIES, st.integers(1, 12), st.floats(0.01, 5))
def test_the_worst_frame_of_each_bin_is_kept(steps: list[Item], most: int, distance: float) -> None:
    """Frames are more than the distance apart, so that none is refused because another is near."""
    kept = Kept(most, distance)
    kept.series([(1.001 * distance + step, score, urgent) for step, score, urgent in steps])
    worst: dict[int, Item] = {}
    for item in kept.offered:
        number = math.floor(item[0] / kept.spread.width)
        if number not in worst or (item[2], item[1]) > (worst[number][2], worst[number][1]):
            worst[number] = item
    assert kept.kept == [worst[number] for number in sorted(worst)]


@given(SERIES, st.integers(2, 12))
def test_of_frames_that_are_not_marked_none_replaces_a_marked_one(steps: list[Item], most: int) -> None:
    kept = Kept(most, 1.0)
    kept.series(steps)
    marked = [item for item in kept.offered if item[2]]
    widths = {math.floor(item[0] / kept.spread.width) for item in marked}
    assert sum(item[2] for item in kept.kept) == len(widths)


def test_an_even_series_fills_at_least_half() -> None:
    most = 20
    kept = Kept(most, 1.0)
    for number in range(5000):
        kept.offer(number * 0.1, 0.5, False)
        if number > 10 * most:
            assert len(kept.kept) >= most / 2 - 1
    assert kept.spread.width == 32.0
    assert [item[0] for item in kept.kept] == pytest.approx([32.0 * number for number in range(16)])


def test_a_clock_that_goes_back_or_has_no_time_loses_no_order() -> None:
    kept = Kept(5, 1.0)
    for seconds in (3.0, 1.0, math.nan, 5.0):
        kept.offer(seconds, 0.5, False)
    assert [item[0] for item in kept.kept] == [3.0, 5.0]
