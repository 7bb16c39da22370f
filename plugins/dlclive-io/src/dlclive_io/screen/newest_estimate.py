"""The newest estimate, and what was counted on the way: all that the session keeps for a viewer."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dlclive_core import Estimate, Progress

MOST_TIMES = (
    20_000  # kept between two questions: more than a viewer that asks four times a second leaves at 1,000 frames/s
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one question is answered with.

    Attributes:
        estimate: the newest, None if it was given before, or not asked for.
        times: (ready at, latency) of each frame since the last reading, in seconds.
        progress: how the session is doing. Where there is no session, `missed` are the gaps in the frames' numbers.
        ended: the session is over; there will be no more.
    """

    estimate: Estimate | None
    times: tuple[tuple[float, float], ...]
    progress: Progress
    ended: bool


class NewestEstimate:
    """`put` is called by the sink's thread and costs a microsecond; `take` by the thread that answers the viewer.

    Args:
        progress: tells how the session is doing, see `RunInfo.progress`.
    """

    def __init__(self, progress: Callable[[], Progress] | None = None) -> None:
        self._progress = progress
        self._changed = threading.Condition()
        self._estimate: Estimate | None = None
        self._times: deque[tuple[float, float]] = deque(maxlen=MOST_TIMES)
        self._came = self._missed = 0
        self._last: int | None = None
        self._ended = False

    def put(self, estimate: Estimate) -> None:
        """Replace what is there."""
        index = estimate.frame.index
        with self._changed:
            self._estimate = estimate
            self._times.append((estimate.ready_at, estimate.latency))
            self._came += 1
            if self._last is not None:
                self._missed += max(0, index - self._last - 1)
            self._last = index
            self._changed.notify()

    def end(self) -> None:
        """Nothing more will come; wakes `take`."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self, *, picture: bool, within: float) -> Snapshot:
        """Read, and for a picture wait some seconds for one that was not given before."""
        until = time.perf_counter() + within
        with self._changed:
            while picture and self._estimate is None and not self._ended:
                rest = until - time.perf_counter()
                if rest <= 0 or not self._changed.wait(rest):
                    break
            estimate = self._estimate if picture else None
            if picture:
                self._estimate = None
            times = tuple(self._times)
            self._times.clear()
            came = Progress("running", missed=self._missed, processed=self._came)
            return Snapshot(estimate, times, self._progress() if self._progress is not None else came, self._ended)
