"""Several sources at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlclive_core.components import PoseModel
from dlclive_core.data.progress import Progress, State
from dlclive_core.errors import UsageError
from dlclive_core.session.events import Event
from dlclive_core.session.report import SessionReport
from dlclive_core.session.session import Session, run_together

_STATES: tuple[State, ...] = ("hanging", "stale", "running", "starting", "closing", "idle", "ended")


class Rig:
    """Several sessions as one thing to run and to stop, for example one for each camera.

    Sessions with the same model share one thread: whenever the model is free, it is given the newest frame of each source
    that has one, images of the same shape as one batch. Sessions with models of their own run in threads of their own.
    Each has its processors, sinks and regions, and its report.

    A session whose recording ends is over; the others go on. When one fails, all are stopped and closed in order, as if each
    had been stopped: processors of all, then sources, then sinks.

    Args:
        sessions: none of them running.

    Raises:
        UsageError: they share what cannot be shared: a source, a processor, a sink, a region, or a model that remembers
            where animals were.
    """

    def __init__(self, sessions: Sequence[Session]) -> None:
        if not sessions:
            raise UsageError("a rig has at least one session")
        self.sessions = tuple(sessions)
        _refuse_twice("session", self.sessions)
        _refuse_twice("source", (session.source for session in sessions))
        for kind in ("processors", "sinks"):
            _refuse_twice(kind[:-1], (part for session in sessions for part in getattr(session, kind)))
        _refuse_twice("region", (region for session in sessions for region in session.region.regions))
        models: dict[int, PoseModel] = {}
        for session in sessions:
            model = models.setdefault(id(session.model), session.model)
            count = sum(other.model is model for other in sessions)
            if count > 1 and model.remembers:
                raise UsageError(
                    f"{count} sessions share a model ({model.card.net_type}) that remembers where animals were in the frame "
                    "before; load one for each of them, or let it look anew in every frame (detect_every=1, no follow)"
                )

    @property
    def state(self) -> State:
        """In one word, the first of these that one of the sessions is in: "hanging", "stale", "running", "starting",
        "closing", "idle", "ended". Any thread may ask.
        """
        states = {session.state for session in self.sessions}
        return next(state for state in _STATES if state in states)

    @property
    def progress(self) -> tuple[Progress, ...]:
        """How each session is doing, in their order. Any thread may ask."""
        return tuple(session.progress for session in self.sessions)

    @property
    def events(self) -> tuple[Event, ...]:
        """What was out of the ordinary so far, in any of them, in the order of time. Any thread may ask."""
        return tuple(
            sorted((event for session in self.sessions for event in session.events), key=lambda event: event.at)
        )

    @property
    def reports(self) -> tuple[SessionReport | None, ...]:
        """One for each session, in their order; None before the first run."""
        return tuple(session.report for session in self.sessions)

    def stop(self) -> None:
        """End all of them. May be called from any thread or a signal handler."""
        for session in self.sessions:
            session.stop()

    def run(self) -> tuple[SessionReport, ...]:
        """Run until the last source ends, `stop` is called or something fails; every session has its report in any case."""
        return run_together(self.sessions)


def _refuse_twice(kind: str, things: Iterable[object]) -> None:
    seen: set[int] = set()
    for thing in things:
        if id(thing) in seen:
            name = "" if kind == "session" else f" ({type(thing).__name__})"
            raise UsageError(f"a {kind}{name} is there twice in this rig; make one for each")
        seen.add(id(thing))
