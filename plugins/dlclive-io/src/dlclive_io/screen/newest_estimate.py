"""The newest estimate and its counters: all that the session keeps for a viewer."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dlclive_core import Estimate, Progress

MOST_TIMES = (
    20_000  # kept between two requests: more than a viewer that asks four times a second leaves at 1,000 frames/s
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the session at one moment.

    Attributes:
        estimate: the newest; None if it was taken before, or not requested.
        times: (ready at, latency) of each frame since the last snapshot, in seconds.
        progress: of the session. Without a session, `missed` counts the gaps in the frame numbers.
        ended: whether the session has ended.
    """

    estimate: Estimate | None
    times: tuple[tuple[float, float], ...]
    progress: Progress
    ended: bool


class NewestEstimate:
    """Holds the newest estimate. The sink's thread calls `put`, which takes a microsecond; the viewer's thread `take`.

    Args:
        progress: returns the session's progress, see `RunInfo.progress`.
    """

    def __init__(self, progress: Callable[[], Progress] | None = None) -> None:
        self._progress = progress
        self._changed = threading.Condition()
        self._estimate: Estimate | None = None
        self._times: deque[tuple[float, float]] = deque(maxlen=MOST_TIMES)
        self._processed = self._missed = 0
        self._last: int | None = None
        self._ended = False

    def put(self, estimate: Estimate) -> None:
        """Replace the newest estimate."""
        index = estimate.frame.index
        with self._changed:
            self._estimate = estimate
            self._times.append((estimate.ready_at, estimate.latency))
            self._processed += 1
            if self._last is not None:
                self._missed += max(0, index - self._last - 1)
            self._last = index
            self._changed.notify()

    def end(self) -> None:
        """Mark the session as ended and wake `take`."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self, *, picture: bool, timeout: float) -> Snapshot:
        """Return a snapshot; with `picture`, wait up to `timeout` seconds for an estimate that was not taken before."""
        until = time.perf_counter() + timeout
        with self._changed:
            while picture and self._estimate is None and not self._ended:
                remaining = until - time.perf_counter()
                if remaining <= 0 or not self._changed.wait(remaining):
                    break
            estimate = self._estimate if picture else None
            if picture:
                self._estimate = None
            times = tuple(self._times)
            self._times.clear()
            counted = Progress("running", missed=self._missed, processed=self._processed)
            return Snapshot(estimate, times, self._progress() if self._progress is not None else counted, self._ended)
