"""The end of a run: processors, then sources, then sinks. A component that hangs is reported and abandoned."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from dlclive_core.errors import PluginError
from dlclive_core.session.component_calls import finish_limit
from dlclive_core.session.loop import Busy, Loop
from dlclive_core.session.loop_threads import Call, LoopThreads
from dlclive_core.session.running_session import RunningSession
from dlclive_core.session.sink_thread import SinkCall, SinkThread

_log = logging.getLogger(__name__)

NAMED_AFTER = 2.0
"""Seconds until a component that does not return is named."""
_CLOSE = 2.0  # seconds for a live model or processor to return from its last frame
_LAST_FRAME = 30.0  # seconds for a recording's model to return from its last frame; only files wait for it
_SINK = {"open": 2.0, "write": 10.0, "finish": 30.0, "close": 10.0}  # seconds; idle ones if CPU time is known
_HURRY = 0.2  # seconds for all remaining steps after a second Ctrl-C
_POLL = 0.01


class Shutdown:
    """Closes the sessions of a run in its own thread, so that a signal cannot skip a step and is never missed.

    Attributes:
        done: set at the end.
    """

    def __init__(self, loops: Sequence[Loop], sessions: Sequence[RunningSession], threads: LoopThreads[Loop]) -> None:
        self.done = threading.Event()
        self._loops, self._sessions, self._threads = loops, sessions, threads
        self._hurry_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="dlclive shutdown", daemon=True)

    def start(self) -> None:
        """Begin. Safe to call twice."""
        if self._thread.ident is None:
            self._thread.start()

    def hurry(self) -> None:
        """Limit all remaining steps to 0.2 s in total."""
        if self._hurry_since is None:
            self._hurry_since = time.perf_counter()

    def _run(self) -> None:
        try:
            self._close_processors()
            for session in self._sessions:
                session.capture.stop()
            for session in self._sessions:
                session.capture.join(self._left(_HURRY / 4) if self._hurry_since is not None else None)
                session.note_source_closed()
            for session in self._sessions:
                session.finish()
            for session in self._sessions:
                for sink in session.sinks:
                    self._wait_for_sink(session, sink)
        finally:
            for session in self._sessions:
                session.phase = "ended"
            self.done.set()

    # ---- processors, in the thread of their loop

    def _close_processors(self) -> None:
        began = time.perf_counter()
        for loop, call in zip(self._loops, self._threads.start(Loop.close_processors), strict=True):
            self._wait_for_loop(loop, call, began)
        self._threads.end()

    def _wait_for_loop(self, loop: Loop, call: Call[Loop], began: float) -> None:
        named: Busy | None = None
        while not call.done.wait(_POLL):
            if self._hurry_since is not None and not self._left(_HURRY / 2):
                loop.abandoned.set()
                _go_on_closing(loop).done.wait(_HURRY / 4)
                return
            busy = loop.busy
            if busy is None:
                continue
            waited = time.perf_counter() - max(busy.since, began)
            if waited > NAMED_AFTER and busy is not named:
                named = busy
                self._name(busy.sessions, _hangs(busy, waited))
            if waited > _patience(busy):
                loop.abandoned.set()
                error = PluginError(f"{_hangs(busy, waited)} and was abandoned")
                for session in busy.sessions:
                    if busy.is_closing:
                        session.note_close_error(PluginError, "", error)
                    else:
                        session.failure = session.failure or error
                call = _go_on_closing(loop)
                began = time.perf_counter()
                loop.busy = None

    # ---- sinks, each in its own thread

    def _wait_for_sink(self, session: RunningSession, sink: SinkThread) -> None:
        began = last_worked = time.perf_counter()
        used = sink.cpu_time()
        named: SinkCall | None = None
        while not sink.is_closed:
            sink.done.wait(_POLL)
            if self._hurry_since is not None and not self._left(_HURRY):
                return
            busy = sink.busy
            if busy is None:
                continue
            now = time.perf_counter()
            waited = now - max(busy.since, began)
            if (total := sink.cpu_time()) != used:
                used, last_worked = total, now
            more = finish_limit(sink.sink) if busy.method == "finish" else 0.0
            text = f"sink {sink.label} has not returned from {busy.method} for {waited:.0f} s"
            if waited > NAMED_AFTER and busy is not named:
                named = busy
                # A sink that asks for time in `finish` writes its file there: that it takes some is no fault.
                self._name((session,), text, f"{sink.label} is still being written" if more else "")
            if min(waited, now - last_worked) > max(_SINK[busy.method], more):
                sink.abandon(f"{text} and was abandoned")
                return
        sink.join()

    def _name(self, sessions: Sequence[RunningSession], text: str, expected: str = "") -> None:
        """Say what has not returned; `expected` says it of what has asked for the time."""
        for session in sessions:
            session.events.add("closing", expected or text)
        _log.log(logging.WARNING if expected else logging.ERROR, "%s", expected or text)

    def _left(self, share: float) -> float:
        """Seconds left of `share` since the second Ctrl-C."""
        return max(0.0, share - (time.perf_counter() - (self._hurry_since or 0.0)))


def _go_on_closing(loop: Loop) -> Call[Loop]:
    """Close the remaining processors in another thread, because the loop's thread hangs."""
    call = Call(Loop.close_processors, loop)
    threading.Thread(target=call.run, name="dlclive closing", daemon=True).start()
    return call


def _patience(busy: Busy) -> float:
    if busy.limit is not None:
        return busy.limit
    if any(session.capture.source.is_live for session in busy.sessions):
        return _CLOSE
    return _LAST_FRAME


def _hangs(busy: Busy, waited: float) -> str:
    return f"{busy.component} has not returned from {busy.doing} for {waited:.0f} s"
