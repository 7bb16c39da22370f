"""Compares what a source declares with the frames that it delivers."""

from __future__ import annotations

import logging

from dlclive_core.components import FrameSource
from dlclive_core.data.clock_rate import ClockRate
from dlclive_core.data.frame import Frame
from dlclive_core.session.declared_rate import DeclaredRate, about
from dlclive_core.session.events import Events
from dlclive_core.session.source_facts import SourceFacts

_log = logging.getLogger(__name__)

_OLD = 1.0  # seconds; every source needs less from capture to `read`


class SourceCheck:
    """Checks each frame in the capture thread as it is read, and reports each kind of fault once.

    Args:
        source: delivers the frames.
        facts: what the source declares.
        events: receives the reports, which are also logged.
    """

    def __init__(self, source: FrameSource, facts: SourceFacts, events: Events) -> None:
        self._is_live, self._facts, self._events = source.is_live, facts, events
        self._reported: set[str] = set()
        self._rate = DeclaredRate()
        self._newest = -1

    @property
    def fps(self) -> float | None:
        """Frames per second: the measured rate if it contradicts the declared one, else the declared rate."""
        return self._rate.measured or self._facts.fps

    def is_late(self, frame: Frame) -> bool:
        """Whether a newer frame was read before this one; the first case is reported."""
        if frame.index >= self._newest or not self._is_live:
            self._newest = frame.index
            return False
        self._report_once("order", f"frame {frame.index} came after frame {self._newest}; late frames are dropped")
        return True

    def check(self, frame: Frame, now: float, clock: ClockRate) -> None:
        """Check a frame read at `now`, in `time.perf_counter()` seconds; `clock` is the rate of its camera's clock."""
        facts = self._facts
        for notice in facts.notices:
            if notice not in self._reported:
                self._reported.add(notice)
                self._report("source", notice)
        age = now - frame.captured_at
        if not age >= 0:
            self._report_once("clock", f"{_ahead(-age)}; use time.perf_counter(): outputs ignore such frames")
        self._check_size(frame)
        if not self._is_live:
            return
        if age > _OLD:
            self._report_once(
                "age",
                f"frame {frame.index} was {age:.1f} s old when read: it waited, or its time is from another clock",
            )
        if clock.is_wrong:
            self._report_once(
                "device clock",
                f"its clock counts {clock.rate:.3g} s per second and is ignored: a frame's age counts from its arrival, "
                "and a delayed frame passes as new",
            )
        self._rate.add(declared := facts.fps, now, frame.index)
        if self._rate.measured is not None:
            self._report_once(
                "rate", f"it declares {declared:g} frames/s but delivers about {about(self._rate.measured)}"
            )

    def _check_size(self, frame: Frame) -> None:
        size = self._facts.frame_size
        if size is not None and frame.image.shape[:2] != size[::-1]:
            height, width = frame.image.shape[:2]
            self._report_once("size", f"it declares {size[0]}x{size[1]}, but frame {frame.index} is {width}x{height}")

    def _report_once(self, kind: str, text: str) -> None:
        if kind not in self._reported:
            self._reported.add(kind)
            self._report(kind, f"{self._facts.name}: {text}")

    def _report(self, kind: str, text: str) -> None:
        self._events.add(kind, text)
        _log.warning("%s", text)


def _ahead(seconds: float) -> str:
    """Describes a timestamp that is this far in the future, or NaN."""
    return f"captured_at is {seconds:.3g} s in the future" if seconds > 0 else "captured_at is not a time"
