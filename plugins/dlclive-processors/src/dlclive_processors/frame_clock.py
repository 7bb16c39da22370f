"""The time of a frame: that of the camera and the host, or that of the recording."""

from __future__ import annotations

import math

from dlclive_core import ClockRate, Frame, RunClock, RunInfo


class FrameClock:
    """Tells times and ages of frames.

    A recording is read faster or slower than it was made, so the time at which the host received a frame means nothing:
    the time in the recording counts, or, without timestamps, the frame number divided by the declared rate.

    Args:
        run: the run; None is treated as a recording of unknown rate.
    """

    def __init__(self, run: RunInfo | None = None) -> None:
        self.is_live = run is not None and run.is_live
        self._fps = run.fps if run is not None else None
        self._started = run.started_clock if run is not None else 0.0
        self._clock = run.clock if run is not None else RunClock()
        self._rate = ClockRate()

    def since_start(self, frame: Frame) -> float:
        """Seconds since the run began (live) or since the recording's time zero."""
        if self.is_live:
            return frame.captured_at - self._started
        if _is_time(frame.device_time):
            return float(frame.device_time)  # type: ignore[arg-type]
        return frame.index / self._fps if self._fps else frame.captured_at - self._started

    def between(self, earlier: Frame, later: Frame) -> float:
        """Seconds between two frames; negative if the source went back.

        A live camera's own clock is used, because it has no jitter, once the host's clock has shown that it counts seconds; if
        it stands still or runs backwards (it wrapped, or the camera restarted), the host's clock is used for that step.
        """
        if self.is_live and _is_time(later.device_time):
            self._rate.add(later.captured_at, float(later.device_time))  # type: ignore[arg-type]
        trusted = not self.is_live or self._rate.is_right
        if trusted and _is_time(earlier.device_time) and _is_time(later.device_time):
            step = later.device_time - earlier.device_time  # type: ignore[operator]
            if step > 0 or not self.is_live:
                return step
        elif not self.is_live and self._fps:
            return (later.index - earlier.index) / self._fps
        return later.captured_at - earlier.captured_at

    def now(self) -> float:
        """The run's clock, in seconds: the computer's at this moment, in a replay that of the recorded run."""
        return self._clock.now()

    def pose_age(self, frame: Frame) -> float:
        """Seconds from the frame's capture to its pose; 0 for a recording, whose frames do not age.

        It is the same for all processors, and in a replay. Negative or NaN where `captured_at` cannot be a time of the
        session's clock: a frame from the future. Its age is unknown.
        """
        posed_at = self._clock.posed_at
        if math.isnan(posed_at):  # nobody sets it where a script calls processors itself
            posed_at = self._clock.now()
        return posed_at - frame.captured_at if self.is_live else 0.0

    def age(self, frame: Frame) -> float:
        """Seconds from the frame's capture to this moment; as `pose_age` otherwise. Decides what is too old to act on."""
        return self._clock.now() - frame.captured_at if self.is_live else 0.0


def _is_time(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
