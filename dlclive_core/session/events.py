"""What happened in a run, as a list that cannot grow without end."""

from __future__ import annotations

import time
from dataclasses import dataclass

_MOST = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """Something out of the ordinary.

    Attributes:
        at: seconds since the run began, on the run's clock.
        kind: one word: "stale", "recovered", "trouble", "hanging", "released", "detached", "shape", "batch", "lingers",
            "clock", "age", "size", "rate", "order", "device clock": the source is not as it
            says; "source": one of its notices.
        text: one line for people.
        session: the name of the session that it happened in.
    """

    at: float
    kind: str
    text: str
    session: str = ""


class Events:
    """Collects the events of the session with this name. Any thread may add.

    Attributes:
        omitted: how many came after the thousandth; they are counted only.
    """

    def __init__(self, session: str = "") -> None:
        self.omitted = 0
        self._session = session
        self.started = time.perf_counter()
        self._events: list[Event] = []

    def add(self, kind: str, text: str) -> None:
        """Note that something happens now."""
        if len(self._events) < _MOST:
            self._events.append(Event(time.perf_counter() - self.started, kind, text, self._session))
        else:
            self.omitted += 1

    def all(self) -> tuple[Event, ...]:
        """Those so far."""
        return tuple(self._events)
