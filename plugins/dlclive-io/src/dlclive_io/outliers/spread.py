"""Chooses at most n of an endless series of frames, spread over time, the worst of each stretch of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Spread(Generic[T]):
    """The worst item of each bin of time, in at most `most` bins, however long the series becomes.

    Time is cut into bins of one width, at first the smallest distance. Each bin keeps its worst item: the first one of the
    highest rank. When there are more than `most`, the bins are made twice as wide, until there are few enough: each two
    neighbours become one and keep the worse of their two items. So between half of `most` and `most` are kept of a series
    that goes on evenly, the same ones for the same series. Doubling a distance as an endless series outgrows a fixed memory
    is that of M. Charikar, C. Chekuri, T. Feder, R. Motwani, Incremental clustering and dynamic information retrieval, STOC
    1997.

    An item that is nearer than the smallest distance to the kept one of the bin before is not taken, unless it is `urgent`.
    For each item that was offered, one is kept in its bin or in the bin before.

    Args:
        most: the largest number of items.
        distance: the smallest distance, in seconds.
        drop: called with each item that is no longer kept, before another takes its place.
    """

    def __init__(self, most: int, distance: float, drop: Callable[[T], None]) -> None:
        self._most, self._distance, self._drop = most, distance, drop
        self.width = distance
        self._kept: dict[int, tuple[float, tuple[bool, float], T]] = {}
        self._latest = 0.0

    @property
    def items(self) -> list[T]:
        """Those that are kept, in order."""
        return [item for _, _, item in (self._kept[key] for key in sorted(self._kept))]

    def takes(self, seconds: float, score: float, *, urgent: bool = False) -> bool:
        """Whether an item of this time and score would be kept."""
        seconds = self._forward(seconds)
        number = self._bin(seconds)
        if number in self._kept:
            return (urgent, score) > self._kept[number][1]
        before = self._kept.get(number - 1)
        return urgent or before is None or seconds - before[0] >= self._distance

    def add(self, seconds: float, score: float, item: T, *, urgent: bool = False) -> None:
        """Keep an item that `takes` accepted, and drop what must make room for it.

        Args:
            seconds: its time; one before an earlier item's counts as that.
            score: how bad it is.
            urgent: it is worse than any that is not.
        """
        seconds = self._latest = self._forward(seconds)
        number, entry = self._bin(seconds), (seconds, (urgent, score), item)
        if number in self._kept:
            self._drop(self._kept.pop(number)[2])
        while len(self._kept) >= self._most:
            self._widen()
            number = self._bin(seconds)
            if number in self._kept:
                if self._kept[number][1] >= entry[1]:
                    self._drop(item)
                    return
                self._drop(self._kept.pop(number)[2])
        self._kept[number] = entry

    def _widen(self) -> None:
        self.width *= 2
        merged: dict[int, tuple[float, tuple[bool, float], T]] = {}
        for key in sorted(self._kept):
            entry = self._kept[key]
            other = merged.get(key // 2)
            if other is None:
                merged[key // 2] = entry
            elif entry[1] > other[1]:
                merged[key // 2] = entry
                self._drop(other[2])
            else:
                self._drop(entry[2])
        self._kept = merged

    def _bin(self, seconds: float) -> int:
        return math.floor(seconds / self.width)

    def _forward(self, seconds: float) -> float:
        """The time, not before the latest one: clocks of joined recordings begin again."""
        return max(self._latest, seconds) if math.isfinite(seconds) else self._latest
