"""The times of a frame, as receivers need them."""

from __future__ import annotations

import math

from dlclive_core import Frame, RunInfo


class RunTimes:
    """Turns the session's clock into times that mean something elsewhere."""

    def __init__(self, run: RunInfo) -> None:
        self._run = run
        self._unix = run.started_at.timestamp() - run.started_clock

    def since_start(self, frame: Frame) -> float:
        """Seconds since the run began (live) or in the recording, as `TriggerEvent.time`. NaN if nobody knows."""
        run = self._run
        if run.is_live:
            return frame.captured_at - run.started_clock
        if frame.device_time is not None and math.isfinite(frame.device_time):
            return float(frame.device_time)
        return frame.index / run.fps if run.fps else frame.captured_at - run.started_clock

    def captured_at(self, frame: Frame) -> float:
        """Unix time, in seconds, at which the computer received the frame; of a recording, at which it read it."""
        return frame.captured_at + self._unix
