"""Which of a frame's times counts: that of the camera and the host, or that of the recording."""

from __future__ import annotations

import math
import time

from dlclive_core import Frame, RunInfo


def now() -> float:
    """The one clock of a session, in seconds; it does not follow the clock on the wall."""
    return time.perf_counter()


class FrameClock:
    """The time of frames, as far as the source tells it.

    A recording is read faster or slower than it was made, so the moment at which the host had a frame says nothing:
    what counts is the time in the recording, or the frame's number over the declared rate where it has no times.

    Args:
        run: what is known about the run; None is taken as a recording of unknown rate.
    """

    def __init__(self, run: RunInfo | None = None) -> None:
        self.is_live = run is not None and run.is_live
        self._fps = run.fps if run is not None else None
        self._started = run.started_clock if run is not None else 0.0

    def since_start(self, frame: Frame) -> float:
        """Seconds since the run began (live) or since the recording's time zero."""
        if self.is_live:
            return frame.captured_at - self._started
        if _is_time(frame.device_time):
            return float(frame.device_time)  # type: ignore[arg-type]
        return frame.index / self._fps if self._fps else frame.captured_at - self._started

    def between(self, earlier: Frame, later: Frame) -> float:
        """Seconds from one frame to the next that was processed; below zero if the source went back.

        A live camera's own clock counts, because it has no jitter; where it stands still or runs backwards (it wrapped,
        or the camera was started again), the host's clock is taken for that step.
        """
        if _is_time(earlier.device_time) and _is_time(later.device_time):
            step = later.device_time - earlier.device_time  # type: ignore[operator]
            if step > 0 or not self.is_live:
                return step
        elif not self.is_live and self._fps:
            return (later.index - earlier.index) / self._fps
        return later.captured_at - earlier.captured_at

    def age(self, frame: Frame) -> float:
        """Seconds from the frame's capture to now; 0 for a recording, whose frames do not grow old."""
        return max(0.0, time.perf_counter() - frame.captured_at) if self.is_live else 0.0


def _is_time(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
