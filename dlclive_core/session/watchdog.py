"""The watchdog: detects missing frames, and a model or processor that does not return."""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import time
from collections.abc import Sequence

from dlclive_core.session.loop import Busy, Loop
from dlclive_core.session.running_session import RunningSession

_log = logging.getLogger(__name__)

_EVERY = 0.01  # seconds between checks
_SLACK = 0.02  # seconds that a frame may be late, beyond two frame periods
_QUIET = 1.0  # seconds without a frame from a source that declares no rate, or before its first frame


class Watchdog:
    """A thread that watches the loops of live sources. It records and logs what it detects, and stops nothing.

    Outputs do not depend on it: their leases lapse when poses stop, even if all of Python is blocked.
    """

    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = [loop for loop in loops if any(session.capture.source.is_live for session in loop.sessions)]
        self._sources = [
            _SourceWatchdog(session)
            for loop in self._loops
            for session in loop.sessions
            if session.capture.source.is_live
        ]
        self._hanging: dict[Loop, Busy] = {}
        self._dumped = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dlclive watchdog", daemon=True)

    def start(self) -> None:
        """Start watching. Does nothing without a live source."""
        if self._loops:
            self._thread.start()

    def stop(self) -> None:
        """Stop watching, with a last look at what the sources say of themselves. Safe without `start`."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
            for source in self._sources:
                source.note_trouble()

    def _run(self) -> None:
        while not self._over.wait(_EVERY):
            now = time.perf_counter()
            for source in self._sources:
                source.check(now)
            for loop in self._loops:
                self._check_loop(loop, now)

    def _check_loop(self, loop: Loop, now: float) -> None:
        busy, hanging = loop.busy, self._hanging.get(loop)
        if hanging is not None and busy is not hanging:
            del self._hanging[loop]
            for session in hanging.sessions:
                session.is_hanging = False
                session.events.add(
                    "released", f"{hanging.component} finished {hanging.doing} after {now - hanging.since:.2f} s"
                )
        if (
            busy is None
            or busy is hanging
            or busy.is_closing
            or now - busy.since <= min(session.spec.deadline for session in busy.sessions)
        ):
            return
        self._hanging[loop] = busy
        text = f"{busy.component} is hanging: no result for {busy.doing} after {now - busy.since:.2f} s"
        for session in busy.sessions:
            session.is_hanging = True
            session.events.add("hanging", text)
        _log.error("%s", text)
        if not self._dumped:
            self._dumped = True
            dump_stacks()


class _SourceWatchdog:
    """Watches one session's source for missing frames and trouble."""

    def __init__(self, session: RunningSession) -> None:
        self._session = session
        self._since: float | None = None
        self._trouble = False

    def check(self, now: float) -> None:
        session, source, last = self._session, self._session.facts, self._session.capture.last_at
        if session.capture.handoff.is_over:
            session.is_stale = False
            return
        fps = session.capture.fps
        patience = session.spec.stale_after or (2 / fps + _SLACK if fps else _QUIET)
        if session.capture.read == 0:
            patience = max(patience, _QUIET)
        if self._since is None and now - last > patience:
            self._since = last
            session.is_stale = True
            session.stalls += 1
            session.events.add("stale", f"{source.name}: no frame for {1e3 * (now - last):.0f} ms")
        elif self._since is not None and last != self._since:
            session.is_stale = False
            session.events.add("recovered", f"{source.name}: frames again after {last - self._since:.2f} s")
            self._since = None
        if self._since is not None:
            session.longest_stall = max(session.longest_stall, now - self._since)
        self.note_trouble()

    def note_trouble(self) -> None:
        """Record what troubles the source, once until it is over."""
        trouble = self._session.facts.trouble
        if trouble and not self._trouble:
            self._session.events.add("trouble", trouble)
        self._trouble = bool(trouble)


def dump_stacks() -> None:
    """Write the stacks of all threads to standard error; does nothing if that is not a file, as in some notebooks."""
    for file in (sys.stderr, sys.__stderr__):
        try:
            if file is not None:
                file.flush()
                faulthandler.dump_traceback(file=file)
                return
        except (AttributeError, OSError, RuntimeError, ValueError):
            continue
