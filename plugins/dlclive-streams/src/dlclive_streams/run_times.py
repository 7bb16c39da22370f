"""The times of a frame, as receivers need them."""

from __future__ import annotations

from dlclive_core import Frame, RunInfo


class RunTimes:
    """Turns the session's clock into times that mean something elsewhere."""

    def __init__(self, run: RunInfo) -> None:
        self._run = run
        self._unix = run.started_at.timestamp() - run.started_clock

    def since_start(self, frame: Frame) -> float:
        """See `RunInfo.since_start`; the same as `TriggerEvent.time`."""
        return self._run.since_start(frame)

    def captured_at(self, frame: Frame) -> float:
        """Unix time, in seconds, at which the computer received the frame; of a recording, at which it read it."""
        return frame.captured_at + self._unix
