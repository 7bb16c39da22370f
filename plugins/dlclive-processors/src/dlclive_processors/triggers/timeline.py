"""The time of frames, as triggers count it."""

from __future__ import annotations

import math

from dlclive_core import Frame
from dlclive_processors.frame_clock import FrameClock, FrameTimes, times_only


class Timeline:
    """Times of the frames of a run that never decrease, until `advance` says that the source went back.

    Args:
        clock: of the run.
        tolerance: seconds. Time stands still while a source is back by less; at more, it begins anew.

    Attributes:
        time: `FrameClock.since_start` of the latest frame.
        motion_time: the sum of `FrameClock.between`; only differences mean anything.
    """

    def __init__(self, clock: FrameClock, tolerance: float) -> None:
        self._clock, self._tolerance = clock, tolerance
        self._last: FrameTimes | None = None
        self.time = self.motion_time = 0.0

    def advance(self, frame: Frame) -> bool:
        """Take the next frame, whose `since_start` is finite. False: time went back, and begins anew with this frame."""
        time = self._clock.since_start(frame)
        last, self._last = self._last, times_only(frame)
        if last is None or time < self.time - self._tolerance:
            self.time = time
            return last is None
        self.time = max(time, self.time)
        step = self._clock.between(last, frame)
        if step > 0 and math.isfinite(step):
            self.motion_time += step
        return True
