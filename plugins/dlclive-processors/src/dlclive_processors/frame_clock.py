"""The time of a frame: that of the camera and the host, or that of the recording."""

from __future__ import annotations

import math
from typing import NamedTuple

from dlclive_core import ClockRate, Frame, RunClock, RunInfo


class FrameTimes(NamedTuple):
    """What is remembered of a frame: its number and times as in `Frame`, not its image, whose memory is released."""

    number: int
    captured_at: float
    device_time: float | None


class FrameClock:
    """Tells times and ages of frames.

    That of a recording is its own: see `RunInfo.since_start`.

    Args:
        run: the run; None is treated as a recording of unknown rate.
    """

    def __init__(self, run: RunInfo | None = None) -> None:
        self.is_live = run is not None and run.is_live
        self._run = run
        self._fps = run.fps if run is not None else None
        self._clock = run.clock if run is not None else RunClock()
        self._rate = ClockRate()

    def since_start(self, frame: Frame) -> float:
        """See `RunInfo.since_start`. Without a run, the time in the recording or, if it has none, the session's clock."""
        if self._run is not None:
            return self._run.since_start(frame)
        return float(frame.device_time) if _is_time(frame.device_time) else frame.captured_at  # type: ignore[arg-type]

    def between(self, earlier: FrameTimes, later: Frame) -> float:
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
            return (later.index - earlier.number) / self._fps
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


def times_only(frame: Frame) -> FrameTimes:
    """What is to be remembered of a frame."""
    return FrameTimes(frame.index, frame.captured_at, frame.device_time)


def _is_time(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
