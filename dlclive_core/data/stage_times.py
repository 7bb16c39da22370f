"""Percentiles of durations in constant memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

_FIRST = 1e-7  # seconds: the lower edge of the first bin; it also counts shorter durations
_RATIO = 1.01  # between neighbouring bins; percentiles are accurate to one percent
_BINS = 2200  # up to about 300 s


@dataclass(frozen=True, slots=True)
class StageTimes:
    """The durations of one stage over all frames, in milliseconds. Percentiles are accurate to one percent."""

    stage: str
    count: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Stopwatch:
    """Collects the durations of one stage. Only one thread calls `add`, which takes less than a microsecond."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self._bins = [0] * _BINS
        self._count = 0
        self._sum = 0.0
        self._max = 0.0
        self._factor = 1 / math.log(_RATIO)

    def add(self, seconds: float) -> None:
        """Count one duration. What is none, because a source stamps its frames with another clock, is left out."""
        if not 0 <= seconds < math.inf:
            return
        self._count += 1
        self._sum += seconds
        if seconds > self._max:
            self._max = seconds
        index = int(math.log(seconds / _FIRST) * self._factor) if seconds > _FIRST else 0
        self._bins[min(index, _BINS - 1)] += 1

    def _percentile(self, share: float) -> float:
        rank, cumulative = share * self._count, 0
        for index, count in enumerate(self._bins):
            cumulative += count
            if cumulative >= rank and cumulative:
                return min(_FIRST * _RATIO ** (index + 0.5), self._max)
        return self._max

    def times(self) -> StageTimes:
        """The statistics of the durations so far."""
        mean = self._sum / self._count if self._count else 0.0
        p50, p95, p99 = (1000 * self._percentile(share) for share in (0.50, 0.95, 0.99))
        return StageTimes(self.stage, self._count, 1000 * mean, p50, p95, p99, 1000 * self._max)
