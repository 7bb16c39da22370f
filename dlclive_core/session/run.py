"""From the first open to the last close, in a defined order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from dlclive_core.components import PoseModel
from dlclive_core.session.loop import Loop
from dlclive_core.session.named_threads import Turns
from dlclive_core.session.running_session import Lane
from dlclive_core.session.switch_interval import quick_switching
from dlclive_core.session.watchdog import Watch

if TYPE_CHECKING:
    from dlclive_core.session.session import Session

_HURRY = 0.2  # seconds for the whole end when somebody wants to be gone


class Run:
    """Sessions that run together: those with the same model share a loop, and each loop has its thread.

    What is opened, in this order: sources, which tell how large their frames are; models, which are warmed up; sinks;
    processors. Then frames begin to come. What is closed: processors, because they may hold hardware; sources; sinks, when
    they have written what they were given.
    """

    def __init__(self, sessions: Sequence[Session]) -> None:
        by_model: dict[int, tuple[PoseModel, list[Session]]] = {}
        for session in sessions:
            by_model.setdefault(id(session.model), (session.model, []))[1].append(session)
        self._loops = []
        for model, theirs in by_model.values():
            changed = threading.Condition()
            self._loops.append(Loop(model, [Lane(session, changed) for session in theirs], changed))
        lanes = {id(lane.session): lane for loop in self._loops for lane in loop.lanes}
        self.lanes = tuple(lanes[id(session)] for session in sessions)
        self._turns = Turns(self._loops)
        self._watch = Watch(self._loops)

    def go(self) -> None:
        """Run until the last source ends, all are stopped, or something fails, which is raised when all is closed.

        KeyboardInterrupt stops in order and is raised at the end; any other BaseException, and a second one, waits for
        nothing.
        """
        failure: BaseException | None = None
        try:
            self._start()
            with quick_switching(any(lane.capture.source.is_live for lane in self.lanes)):
                self._turns.each(self._run)
        except BaseException as error:
            failure = error
        self._end(failure)
        if failure is None:
            failure = next((lane.failure for lane in self.lanes if lane.failure is not None), None)
        if failure is not None:
            raise failure

    # ---- the beginning

    def _start(self) -> None:
        for lane in self.lanes:
            with _blaming(lane):
                lane.capture.open()
        self._turns.each(self._warm_up)
        # One moment for all lanes, so that what they record can be laid side by side.
        wall, clock = datetime.now(timezone.utc).astimezone(), time.perf_counter()
        runs = {id(lane): lane.describe(wall, clock) for lane in self.lanes}
        for lane in self.lanes:
            with _blaming(lane):
                for sink in lane.sinks:
                    sink.start(runs[id(lane)])

        def open_processors(loop: Loop) -> None:
            for lane in loop.lanes:
                with _blaming(lane):
                    for processor in lane.processors:
                        processor.open(runs[id(lane)])

        self._turns.each(open_processors)
        for lane in self.lanes:
            lane.begin()
        self._watch.start()

    def _warm_up(self, loop: Loop) -> None:
        with _blaming(*loop.lanes):
            loop.warm_up()

    def _run(self, loop: Loop) -> None:
        try:
            loop.run()
        except BaseException:
            self._stop_the_others()
            raise

    def _stop_the_others(self) -> None:
        for lane in self.lanes:
            if lane.failure is None:
                lane.is_stopped = True
            lane.capture.handoff.end()

    # ---- the end

    def _end(self, failure: BaseException | None) -> None:
        hurry = failure is not None and not isinstance(failure, (Exception, KeyboardInterrupt))
        if failure is not None:
            self._stop_the_others()
        if hurry:
            for lane in self.lanes:
                lane.failure = lane.failure or failure
        self._watch.stop()
        for lane in self.lanes:
            lane.phase = "closing"
        if hurry:
            _briefly(lambda: self._turns.each(Loop.close_processors), _HURRY / 2)
        else:
            self._turns.each(Loop.close_processors)
        self._turns.end()
        for lane in self.lanes:
            lane.capture.stop()
        for lane in self.lanes:
            if hurry:
                lane.capture.join(_HURRY / 4)
            else:
                lane.capture.join()
            lane.note_the_source()
        for lane in self.lanes:
            lane.finish()
        for lane in self.lanes:
            for sink in lane.sinks:
                sink.join(_HURRY / 4 if hurry else None)
        for lane in self.lanes:
            lane.phase = "ended"
            lane.session.report = lane.report()


@contextmanager
def _blaming(*lanes: Lane) -> Iterator[None]:
    """What is raised inside is these lanes' failure."""
    try:
        yield
    except Exception as error:
        for lane in lanes:
            lane.failure = lane.failure or error
        raise


def _briefly(do: Callable[[], None], seconds: float) -> None:
    """Do it, but wait for it only so long."""
    thread = threading.Thread(target=do, name="dlclive closing", daemon=True)
    thread.start()
    thread.join(seconds)
