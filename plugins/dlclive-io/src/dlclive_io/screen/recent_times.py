"""Rate and latency over the last seconds, for viewers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

WINDOW = 5.0  # seconds over which rate and latency are computed
_MOST = 10_000  # frames in the window


class RecentTimes:
    """Keeps when the newest poses were ready, and their latencies."""

    def __init__(self) -> None:
        self._times: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def extend(self, times: Iterable[tuple[float, float]]) -> None:
        """Add (ready at, latency) of each frame, in seconds."""
        self._times.extend(times)

    def rate(self, now: float) -> float:
        """Poses per second until `now`; 0 with fewer than two."""
        self._forget(now)
        return len(self._times) / (now - self._times[0][0]) if len(self._times) > 1 else 0.0

    def latency_ms(self, now: float) -> tuple[float, float, float] | None:
        """The 50th, 95th and 99th percentile in milliseconds; None with fewer than two poses."""
        self._forget(now)
        if len(self._times) < 2:
            return None
        p50, p95, p99 = np.percentile([1000 * latency for _, latency in self._times], (50, 95, 99))
        return float(p50), float(p95), float(p99)

    def _forget(self, now: float) -> None:
        while self._times and self._times[0][0] < now - WINDOW:
            self._times.popleft()
