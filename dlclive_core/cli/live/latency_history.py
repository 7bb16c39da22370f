"""Latency over a run of any length, in constant memory: minimum, mean and maximum of short intervals."""

from __future__ import annotations

from dataclasses import dataclass

_INITIAL_LENGTH = 0.05  # seconds per stretch at the start
_MOST = 480  # stretches; beyond that, neighbours are merged


@dataclass(slots=True)
class Stretch:
    """Latency statistics of the frames in a short time interval, in seconds."""

    count: int = 0
    least: float = 0.0
    total: float = 0.0
    largest: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.count

    def add(self, value: float) -> None:
        """Add the latency of one frame."""
        self.least = value if not self.count else min(self.least, value)
        self.largest = max(self.largest, value)
        self.total += value
        self.count += 1

    def merge(self, other: Stretch) -> None:
        """Add the frames of another stretch."""
        if other.count:
            self.least = other.least if not self.count else min(self.least, other.least)
            self.largest = max(self.largest, other.largest)
            self.total += other.total
            self.count += other.count


class History:
    """Latency statistics in stretches of equal length, from the start of a run.

    Attributes:
        length: length of a stretch in seconds; doubles when there are too many stretches.
        stretches: in order of time; a stretch without frames has count 0.
    """

    def __init__(self) -> None:
        self.length = _INITIAL_LENGTH
        self.stretches: list[Stretch] = []

    def add(self, at: float, value: float) -> None:
        """Add a frame with latency `value` at time `at`, in seconds since the start. Times must not decrease."""
        index = max(0, int(at / self.length))
        while index >= _MOST:
            self._merge_pairs()
            index = int(at / self.length)
        while index >= len(self.stretches):
            self.stretches.append(Stretch())
        self.stretches[index].add(value)

    def _merge_pairs(self) -> None:
        self.length *= 2
        pairs = self.stretches
        merged = pairs[::2]
        for kept, other in zip(merged, pairs[1::2], strict=False):
            kept.merge(other)
        self.stretches = merged
