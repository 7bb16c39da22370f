"""How the latency went over a run of any length: least, mean and largest of each stretch, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass

_SHORTEST = 0.05  # seconds that a stretch is at first
_MOST = 480  # stretches; then neighbours become one


@dataclass(slots=True)
class Stretch:
    """The frames of a short time. Seconds."""

    count: int = 0
    least: float = 0.0
    total: float = 0.0
    largest: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.count

    def add(self, value: float) -> None:
        """Count one frame."""
        self.least = value if not self.count else min(self.least, value)
        self.largest = max(self.largest, value)
        self.total += value
        self.count += 1

    def merge(self, other: Stretch) -> None:
        """Take in the frames of another stretch."""
        if other.count:
            self.least = other.least if not self.count else min(self.least, other.least)
            self.largest = max(self.largest, other.largest)
            self.total += other.total
            self.count += other.count


class History:
    """Stretches of equal length from the start of a run.

    Attributes:
        length: of a stretch in seconds; doubles when there are too many.
        stretches: those without a frame have count 0.
    """

    def __init__(self) -> None:
        self.length = _SHORTEST
        self.stretches: list[Stretch] = []

    def add(self, at: float, value: float) -> None:
        """Note a frame; times `at` do not go back."""
        place = max(0, int(at / self.length))
        while place >= _MOST:
            self._halve()
            place = int(at / self.length)
        while place >= len(self.stretches):
            self.stretches.append(Stretch())
        self.stretches[place].add(value)

    def _halve(self) -> None:
        self.length *= 2
        pairs = self.stretches
        merged = pairs[::2]
        for kept, other in zip(merged, pairs[1::2], strict=False):
            kept.merge(other)
        self.stretches = merged
