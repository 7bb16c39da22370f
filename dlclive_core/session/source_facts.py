"""What a source says about itself, read safely: its properties are third-party code, and may raise or be nonsense."""

from __future__ import annotations

import math
import numbers
from typing import Any

from dlclive_core.components import FrameSource
from dlclive_core.errors import one_line
from dlclive_core.session.events import Events


class SourceFacts:
    """The attributes of a source, checked at each access. Any thread may read them.

    A property that raises or has an impossible value counts as unknown (None, 0 or "") and is recorded as one event.

    Args:
        source: the session's source.
        events: where a property that cannot be read is recorded, once each.
    """

    def __init__(self, source: FrameSource, events: Events) -> None:
        self._source = source
        self._events = events
        self._reported: set[str] = set()

    @property
    def name(self) -> str:
        """Its name; its class's name if it has none."""
        return self._text("name") or type(self._source).__name__

    @property
    def trouble(self) -> str:
        return self._text("trouble")

    @property
    def notices(self) -> tuple[str, ...]:
        value = self._value("notices", ())
        if isinstance(value, tuple | list) and all(isinstance(notice, str) for notice in value):
            return tuple(value)
        self._refuse("notices", value)
        return ()

    @property
    def frame_size(self) -> tuple[int, int] | None:
        value = self._value("frame_size", None)
        if value is None:
            return None
        if isinstance(value, tuple | list) and len(value) == 2 and all(_is_count(side) and side > 0 for side in value):
            return int(value[0]), int(value[1])
        self._refuse("frame_size", value)
        return None

    @property
    def fps(self) -> float | None:
        value = self._value("fps", None)
        if value is None:
            return None
        if isinstance(value, numbers.Real) and math.isfinite(rate := float(value)) and rate > 0:
            return rate
        self._refuse("fps", value)
        return None

    @property
    def frame_count(self) -> int | None:
        value = self._value("frame_count", None)
        if value is None or _is_count(value):
            return None if value is None else int(value)
        self._refuse("frame_count", value)
        return None

    @property
    def corrupt(self) -> int:
        return self._counter("corrupt")

    @property
    def skipped(self) -> int:
        return self._counter("skipped")

    @property
    def lost(self) -> int:
        return self._counter("lost")

    @property
    def reconnects(self) -> int:
        return self._counter("reconnects")

    def _counter(self, name: str) -> int:
        value = self._value(name, 0)
        if _is_count(value):
            return int(value)
        self._refuse(name, value)
        return 0

    def _text(self, name: str) -> str:
        value = self._value(name, "")
        if isinstance(value, str):
            return value
        self._refuse(name, value)
        return ""

    def _value(self, name: str, unknown: object) -> Any:
        try:
            return getattr(self._source, name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._report(name, f"raised {one_line(error)}")
            return unknown

    def _refuse(self, name: str, value: object) -> None:
        self._report(name, f"is {value!r:.60}")

    def _report(self, name: str, text: str) -> None:
        if name not in self._reported:
            self._reported.add(name)
            self._events.add("invalid", f"source {type(self._source).__name__}: {name} {text}; it counts as unknown")


def source_name(source: FrameSource) -> str:
    """The source's name; its class's name if it has none or cannot tell."""
    try:
        return str(source.name) or type(source).__name__
    except Exception:
        return type(source).__name__


def _is_count(value: object) -> bool:
    return type(value) is not bool and isinstance(value, numbers.Integral) and int(value) >= 0
