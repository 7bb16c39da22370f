"""The events of a run, in a list of bounded length."""

from __future__ import annotations

import time
from dataclasses import dataclass

_MOST = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """Something unusual that happened in a run.

    Attributes:
        at: seconds since the run began, on the run's clock.
        kind: "stale", "recovered", "trouble", "hanging", "released", "detached", "shape", "batch" or "lingers"; "clock", "age",
            "size", "rate", "order" or "device clock", where the source is not as it says; "source" or "model", where either
            has a notice; "unlike", the first frame that is unlike what the model was trained on.
        text: one line for people.
        session: the name of the session.
    """

    at: float
    kind: str
    text: str
    session: str = ""


class Events:
    """Collects the events of the named session. Any thread may add.

    Attributes:
        omitted: events after the thousandth, which are only counted.
    """

    def __init__(self, session: str = "") -> None:
        self.omitted = 0
        self._session = session
        self.started = time.perf_counter()
        self._events: list[Event] = []

    def add(self, kind: str, text: str) -> None:
        """Record an event that happens now."""
        if len(self._events) < _MOST:
            self._events.append(Event(time.perf_counter() - self.started, kind, text, self._session))
        else:
            self.omitted += 1

    def all(self) -> tuple[Event, ...]:
        """The events so far."""
        return tuple(self._events)
