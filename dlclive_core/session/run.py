"""A run, from the first open to the last close, in a defined order."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime, timezone

from dlclive_core.components import PoseModel
from dlclive_core.session.loop import Loop
from dlclive_core.session.loop_threads import LoopThreads
from dlclive_core.session.running_session import RunningSession, failures_belong_to
from dlclive_core.session.shutdown import Shutdown
from dlclive_core.session.spec import SessionSpec
from dlclive_core.session.switch_interval import quick_switching
from dlclive_core.session.watchdog import Watchdog

_POLL = 0.1  # seconds: how often a waiting main thread checks for signals, on systems where they do not wake it


class Run:
    """Sessions that run together: those with the same model share a loop, and each loop has its thread.

    Components are called in threads of their own only. The caller's thread waits: it is free for signals, and can leave a
    component behind that hangs.

    A run opens the sources, which report their frame sizes; warms up the models; opens the sinks; and opens the
    processors. Then it starts reading frames. At the end it closes the processors first, because they may hold hardware;
    then the sources; then the sinks, once they have written their backlog.
    """

    def __init__(self, specs: Sequence[SessionSpec]) -> None:
        by_model: dict[int, tuple[PoseModel, list[SessionSpec]]] = {}
        for spec in specs:
            by_model.setdefault(id(spec.model), (spec.model, []))[1].append(spec)
        self._loops = []
        for model, sharing in by_model.values():
            changed = threading.Condition()
            self._loops.append(Loop(model, [RunningSession(spec, changed) for spec in sharing], changed))
        running = {id(session.spec): session for loop in self._loops for session in loop.sessions}
        self.sessions = tuple(running[id(spec)] for spec in specs)
        self._threads = LoopThreads(self._loops)
        self._watchdog = Watchdog(self._loops)
        self._shutdown = Shutdown(self._loops, self.sessions, self._threads)
        self._interrupted = False

    def go(self) -> None:
        """Run until the last source ends, all sessions are stopped, or something fails; raise that error after closing.

        KeyboardInterrupt closes in order and is raised at the end. Any other BaseException, and a second KeyboardInterrupt,
        closes without waiting.
        """
        failure: BaseException | None = None
        try:
            self._start()
            with quick_switching(any(session.capture.source.is_live for session in self.sessions)):
                self._run_loops()
        except BaseException as error:
            failure = error
        self._end(failure)
        if failure is None:
            failure = next((session.error for session in self.sessions if session.error is not None), None)
        if failure is None and self._interrupted:
            failure = KeyboardInterrupt()
        if failure is not None:
            raise failure

    # ---- the beginning

    def _start(self) -> None:
        for session in self.sessions:
            with failures_belong_to(session):
                session.capture.open()
        self._threads.each(self._warm_up)
        # One start time for all sessions, so that their recordings share a time axis.
        wall, clock = datetime.now(timezone.utc).astimezone(), time.perf_counter()
        runs = {session: session.describe(wall, clock) for session in self.sessions}
        for session in self.sessions:
            with failures_belong_to(session):
                for sink in session.sinks:
                    sink.start(runs[session])

        self._threads.each(lambda loop: loop.open_processors(runs))
        for session in self.sessions:
            session.begin()
        self._watchdog.start()

    def _warm_up(self, loop: Loop) -> None:
        with failures_belong_to(*loop.sessions):
            loop.warm_up()

    def _run_loops(self) -> None:
        calls = self._threads.start(self._run)
        for call in calls:
            while not call.done.wait(_POLL):
                if all(session.should_end for session in self.sessions):
                    return  # the shutdown waits for the last frames, and abandons what hangs in one
        for call in calls:
            if call.error is not None:
                raise call.error

    def _run(self, loop: Loop) -> None:
        try:
            loop.run()
        except BaseException:
            self._stop_others()
            raise

    def _stop_others(self) -> None:
        for session in self.sessions:
            if session.failure is None:
                session.is_stopped = True
            session.capture.handoff.end()

    # ---- the end

    def _end(self, failure: BaseException | None) -> None:
        if failure is not None:
            self._stop_others()
        if failure is not None and not isinstance(failure, Exception | KeyboardInterrupt):
            self._hurry(failure)
        self._interrupted = isinstance(failure, KeyboardInterrupt)
        self._watchdog.stop()
        for session in self.sessions:
            session.phase = "closing"
        while not self._shutdown.done.is_set():
            try:
                self._shutdown.start()
                self._shutdown.done.wait(_POLL)
            except KeyboardInterrupt as error:
                if self._interrupted:  # the second one
                    self._hurry(error)
                self._interrupted = True
            except BaseException as error:  # a signal handler raised SystemExit
                self._hurry(error)

    def _hurry(self, error: BaseException) -> None:
        for session in self.sessions:
            session.failure = session.failure or error
        self._shutdown.hurry()
