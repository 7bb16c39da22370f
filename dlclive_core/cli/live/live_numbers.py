"""Statistics of a running session for the status line and the latency plot, in constant memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dlclive_core.cli.live.latency_history import History
from dlclive_core.components import Processor
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose

_RECENT = 2048  # frames, at most, in the percentiles of the status line
_SECONDS = 5.0  # their maximum age

FIRST = 1e-5  # seconds: start of the first bin
RATIO = 1.05  # between neighbouring bins of the distribution
BINS = 340  # up to about 160 s


@dataclass(frozen=True, slots=True)
class Now:
    """The numbers of the status line. Times in seconds; NaN before the first frame.

    Attributes:
        processed: poses so far.
        rate: poses per second over the last five seconds.
        p50, p99: latency from capture to the finished pose over the last five seconds.
        age: time since the capture of the newest frame that has a pose.
    """

    processed: int
    rate: float
    p50: float
    p99: float
    age: float


class LiveNumbers(Processor):
    """Records when each pose is ready, as the last processor of a session. Costs about a microsecond per frame.

    Any thread may call `now`.

    Args:
        on_open: called when all other components are open, before the first frame.
    """

    dimensions = (2, 3)

    def __init__(self, on_open: Callable[[RunInfo], None] | None = None) -> None:
        self.history = History()
        self.distribution = [0] * BINS
        self._on_open = on_open
        self._ready = np.zeros(_RECENT)
        self._latency = np.zeros(_RECENT)
        self._count = 0
        self._captured = math.nan
        self._began = math.nan
        self._factor = 1 / math.log(RATIO)

    def open(self, run: RunInfo) -> None:
        """Call `on_open` and start the clock."""
        if self._on_open is not None:
            self._on_open(run)
        self._began = time.perf_counter()

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Record the latency of a frame; the pose passes unchanged."""
        ready = time.perf_counter()
        latency = ready - frame.captured_at
        slot = self._count % _RECENT
        self._ready[slot] = ready
        self._latency[slot] = latency
        self._captured = frame.captured_at
        self._count += 1
        self.history.add(ready - self._began, latency)
        bin_ = int(math.log(latency / FIRST) * self._factor) if latency > FIRST else 0
        self.distribution[min(bin_, BINS - 1)] += 1
        return pose

    def now(self) -> Now:
        """The current numbers."""
        count, clock = self._count, time.perf_counter()
        filled = min(count, _RECENT)
        ready, latency = self._ready[:filled].copy(), self._latency[:filled].copy()
        recent = ready > clock - _SECONDS
        times, latencies = ready[recent], latency[recent]
        rate = p50 = p99 = math.nan
        if len(times) > 1:
            rate = (len(times) - 1) / max(float(times.max() - times.min()), 1e-9)
        if len(times):
            p50, p99 = (float(value) for value in np.percentile(latencies, (50, 99)))
        return Now(count, rate, p50, p99, clock - self._captured)
