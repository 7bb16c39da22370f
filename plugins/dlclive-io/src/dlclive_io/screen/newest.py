"""The newest estimate, and what was counted on the way: all that the session keeps for a viewer."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

from dlclive_core import Estimate

MOST_TIMES = (
    20_000  # kept between two questions: more than a viewer that asks four times a second leaves at 1,000 frames/s
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one question is answered with.

    Attributes:
        estimate: the newest, None if it was given before, or not asked for.
        times: (ready at, latency) of each frame since the last reading, in seconds.
        processed: frames that came, from the start.
        dropped: frames that did not: gaps in the frames' numbers, from the start.
        ended: the session is over; there will be no more.
    """

    estimate: Estimate | None
    times: tuple[tuple[float, float], ...]
    processed: int
    dropped: int
    ended: bool


class NewestEstimate:
    """`put` is called by the sink's thread and costs a microsecond; `take` by the thread that answers the viewer."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._estimate: Estimate | None = None
        self._times: deque[tuple[float, float]] = deque(maxlen=MOST_TIMES)
        self._processed = self._dropped = 0
        self._last: int | None = None
        self._ended = False

    def put(self, estimate: Estimate) -> None:
        """Replace what is there."""
        index = estimate.frame.index
        with self._changed:
            self._estimate = estimate
            self._times.append((estimate.ready_at, estimate.latency))
            self._processed += 1
            if self._last is not None:
                self._dropped += max(0, index - self._last - 1)
            self._last = index
            self._changed.notify()

    def end(self) -> None:
        """Nothing more will come; wakes `take`."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self, *, picture: bool, within: float) -> Reading:
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
            return Reading(estimate, times, self._processed, self._dropped, self._ended)
