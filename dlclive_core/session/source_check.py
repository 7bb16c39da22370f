"""What a source says of its frames, compared with the frames that come."""

from __future__ import annotations

import logging

from dlclive_core.components import FrameSource
from dlclive_core.data.frame import Frame
from dlclive_core.session.events import Events

_log = logging.getLogger(__name__)

_OLD = 1.0  # seconds: no source needs so long from capture to `read`


class SourceCheck:
    """Looks at each frame as it is read, in the capture thread, and says once what is not as it should be.

    Args:
        source: of the frames.
        events: where it is said, beside the log.
    """

    def __init__(self, source: FrameSource, events: Events) -> None:
        self._source, self._events = source, events
        self._said: set[str] = set()

    def look(self, frame: Frame, now: float) -> None:
        """Check a frame that was read at `now`, `time.perf_counter()`."""
        age = now - frame.captured_at
        if not age >= 0:
            self._say("clock", f"{_ahead(-age)}; it must be time.perf_counter(): no output acts on such frames")
        elif age > _OLD and self._source.is_live:
            self._say(
                "age", f"frame {frame.index} is {age:.1f} s old when it is read: it waited, or another clock stamped it"
            )

    def _say(self, kind: str, text: str) -> None:
        if kind in self._said:
            return
        self._said.add(kind)
        text = f"{self._source.name or type(self._source).__name__}: {text}"
        self._events.add(kind, text)
        _log.warning("%s", text)


def _ahead(seconds: float) -> str:
    """How a time stamp is wrong that lies so far in the future; NaN: it is no time."""
    return f"captured_at is {seconds:.3g} s in the future" if seconds > 0 else "captured_at is not a time"
