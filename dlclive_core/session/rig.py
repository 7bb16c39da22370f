"""Several sessions at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlclive_core.components import PoseModel
from dlclive_core.data.progress import Progress, State
from dlclive_core.errors import UsageError
from dlclive_core.session.events import Event
from dlclive_core.session.passed_parts import passed_list, passed_part
from dlclive_core.session.report import SessionReport
from dlclive_core.session.session import Session, run_together

_STATES: tuple[State, ...] = ("hanging", "stale", "running", "starting", "closing", "idle", "ended")


class Rig:
    """Runs and stops several sessions together, for example one per camera.

    Sessions with the same model share one thread: whenever the model is free, it takes the newest frame of each source
    that has one, and runs images of the same shape as a batch. Sessions with different models run in different threads.
    Each session has its own processors, sinks, regions and report.

    When a recording ends, its session is over and the others go on. When a session fails, all are stopped and closed in
    order: all processors, then the sources, then the sinks.

    Args:
        sessions: sessions that are not running.

    Raises:
        UsageError: the sessions share something that cannot be shared: a source, a processor, a sink, a region, or a
            model that remembers the animals' positions.
    """

    def __init__(self, sessions: Sequence[Session]) -> None:
        sessions = [
            passed_part(session, Session, "sessions", "Rig([Session(...)])")
            for session in passed_list(sessions, "sessions")
        ]
        if not sessions:
            raise UsageError("a rig needs at least one session")
        self.sessions = tuple(sessions)
        _refuse_duplicates("session", self.sessions)
        _refuse_duplicates("source", (session.source for session in sessions))
        for kind in ("processors", "sinks"):
            _refuse_duplicates(kind[:-1], (part for session in sessions for part in getattr(session, kind)))
        _refuse_duplicates("region", (region for session in sessions for region in session.region.regions))
        models: dict[int, PoseModel] = {}
        for session in sessions:
            model = models.setdefault(id(session.model), session.model)
            count = sum(other.model is model for other in sessions)
            if count > 1 and model.remembers:
                raise UsageError(
                    f"{count} sessions share a model ({model.card.net_type}) that remembers the animals' positions; "
                    "load a model per session, or detect in every frame (detect_every=1, no follow)"
                )

    @property
    def state(self) -> State:
        """The most urgent state of any session, in this order: "hanging", "stale", "running", "starting", "closing",
        "idle", "ended". Any thread may read it.
        """
        states = {session.state for session in self.sessions}
        return next(state for state in _STATES if state in states)

    @property
    def progress(self) -> tuple[Progress, ...]:
        """The progress of each session, in order. Any thread may read it."""
        return tuple(session.progress for session in self.sessions)

    @property
    def events(self) -> tuple[Event, ...]:
        """The unusual events of all sessions so far, in order of time. Any thread may read them."""
        return tuple(
            sorted((event for session in self.sessions for event in session.events), key=lambda event: event.at)
        )

    @property
    def reports(self) -> tuple[SessionReport | None, ...]:
        """The report of each session, in order; None before the first run."""
        return tuple(session.report for session in self.sessions)

    def stop(self) -> None:
        """End all sessions. May be called from any thread or a signal handler."""
        for session in self.sessions:
            session.stop()

    def run(self) -> tuple[SessionReport, ...]:
        """Run until the last source ends, `stop` is called or something fails; every session gets its report in any case."""
        return run_together(self.sessions)


def _refuse_duplicates(kind: str, parts: Iterable[object]) -> None:
    known: set[int] = set()
    for part in parts:
        if id(part) in known:
            if kind == "session":
                raise UsageError("this rig contains the same session twice")
            raise UsageError(f"a {kind} ({type(part).__name__}) is used twice in this rig; create one per session")
        known.add(id(part))
