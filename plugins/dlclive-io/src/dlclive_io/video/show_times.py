"""When the frames of a run are shown in the videos written of it."""

from __future__ import annotations

from fractions import Fraction

from dlclive_core import Frame, RunInfo


class ShowTimes:
    """A live source's frames are shown at their capture time, a recording's at their time in it or, without one, at n / fps.

    Args:
        run: tells whether the source is live.
        rate: frames per second.
        time_base: unit of the result, in seconds.
        by_number: show frame n at n / fps in any case.
    """

    def __init__(self, run: RunInfo, rate: Fraction, time_base: Fraction, *, by_number: bool = False) -> None:
        self._run = run
        self._rate = rate
        self._time_base = time_base
        self._by_number = by_number
        self._origin: float | None = None  # the recording's time of frame 0
        self._last = -1

    def of(self, frame: Frame) -> int:
        """The frame's time in units of the time base; always later than the previous one, as containers require."""
        self._last = max(round(self._seconds(frame) / self._time_base), self._last + 1)
        return self._last

    def _seconds(self, frame: Frame) -> Fraction:
        if self._run.is_live and not self._by_number:
            return Fraction(frame.captured_at - self._run.started_clock)
        by_number = frame.index / self._rate
        if self._by_number or frame.device_time is None:
            return by_number
        if self._origin is None:
            self._origin = frame.device_time - float(by_number)
        return Fraction(frame.device_time - self._origin)
