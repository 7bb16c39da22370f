"""What a source says of its frames, compared with the frames that come."""

from __future__ import annotations

import logging

from dlclive_core.components import FrameSource
from dlclive_core.data.clock_rate import ClockRate
from dlclive_core.data.frame import Frame
from dlclive_core.session.declared_rate import DeclaredRate, about
from dlclive_core.session.events import Events
from dlclive_core.session.source_facts import SourceFacts

_log = logging.getLogger(__name__)

_OLD = 1.0  # seconds: no source needs so long from capture to `read`


class SourceCheck:
    """Looks at each frame as it is read, in the capture thread, and says once what is not as it should be.

    Args:
        source: of the frames.
        facts: what it says about itself.
        events: where it is said, beside the log.
    """

    def __init__(self, source: FrameSource, facts: SourceFacts, events: Events) -> None:
        self._is_live, self._facts, self._events = source.is_live, facts, events
        self._said: set[str] = set()
        self._rate = DeclaredRate()
        self._newest = -1

    @property
    def fps(self) -> float | None:
        """Frames per second: as measured, if the source declares another rate."""
        return self._rate.measured or self._facts.fps

    def is_late(self, frame: Frame) -> bool:
        """Whether a newer frame was read before this one; says so once."""
        if frame.index >= self._newest or not self._is_live:
            self._newest = frame.index
            return False
        self._say("order", f"frame {frame.index} came after frame {self._newest}; frames that come late are dropped")
        return True

    def look(self, frame: Frame, now: float, clock: ClockRate) -> None:
        """Check a frame that was read at `now`, `time.perf_counter()`; `clock` compares its camera's clock with ours."""
        facts = self._facts
        for notice in facts.notices:
            if notice not in self._said:
                self._said.add(notice)
                self._tell("source", notice)
        age = now - frame.captured_at
        if not age >= 0:
            self._say("clock", f"{_ahead(-age)}; it must be time.perf_counter(): no output acts on such frames")
        self._check_size(frame)
        if not self._is_live:
            return
        if age > _OLD:
            self._say(
                "age", f"frame {frame.index} is {age:.1f} s old when it is read: it waited, or another clock stamped it"
            )
        if clock.is_wrong:
            self._say(
                "device clock",
                f"its clock counts {clock.rate:.3g} s in a second, so it is not used: a frame's age counts from its arrival, "
                "and one that waited on its way passes as new",
            )
        self._rate.add(declared := facts.fps, now, frame.index)
        if self._rate.measured is not None:
            self._say("rate", f"it declares {declared:g} frames/s, and about {about(self._rate.measured)} come")

    def _check_size(self, frame: Frame) -> None:
        size = self._facts.frame_size
        if size is not None and frame.image.shape[:2] != size[::-1]:
            height, width = frame.image.shape[:2]
            self._say("size", f"it declares frames of {size[0]}x{size[1]}, and frame {frame.index} is {width}x{height}")

    def _say(self, kind: str, text: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            self._tell(kind, f"{self._facts.name}: {text}")

    def _tell(self, kind: str, text: str) -> None:
        self._events.add(kind, text)
        _log.warning("%s", text)


def _ahead(seconds: float) -> str:
    """How a time stamp is wrong that lies so far in the future; NaN: it is no time."""
    return f"captured_at is {seconds:.3g} s in the future" if seconds > 0 else "captured_at is not a time"
