"""The numbers of a session while it runs, and those that the picture needs afterwards, in constant memory."""

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

_RECENT = 2048  # frames that the percentiles of the live line are of, at most
_SECONDS = 5.0  # and how long ago, at most

FIRST = 1e-5  # seconds: the shortest latency that is told apart
RATIO = 1.05  # between neighbouring bins of the distribution
BINS = 340  # up to about 160 s


@dataclass(frozen=True, slots=True)
class Now:
    """What the live line shows. Times in seconds; nan before the first frame.

    Attributes:
        processed: poses so far.
        rate: poses per second, of the last five seconds.
        p50, p99: latency from capture to the finished pose, of the last five seconds.
        age: how long ago the newest frame that has a pose was taken.
    """

    processed: int
    rate: float
    p50: float
    p99: float
    age: float


class LiveNumbers(Processor):
    """The last processor of a session: sees when each pose is ready. Costs about a microsecond a frame.

    `now` may be called by any thread.

    Args:
        on_open: called when everything else is open, before the first frame.
    """

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
        """The session begins."""
        if self._on_open is not None:
            self._on_open(run)
        self._began = time.perf_counter()

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Take note of the time."""
        ready = time.perf_counter()
        latency = ready - frame.captured_at
        place = self._count % _RECENT
        self._ready[place] = ready
        self._latency[place] = latency
        self._captured = frame.captured_at
        self._count += 1
        self.history.add(ready - self._began, latency)
        bin_ = int(math.log(latency / FIRST) * self._factor) if latency > FIRST else 0
        self.distribution[min(bin_, BINS - 1)] += 1
        return pose

    def now(self) -> Now:
        """The numbers at this moment."""
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
