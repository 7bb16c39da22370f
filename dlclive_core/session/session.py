"""A session: one source, one model, processors and sinks."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from dlclive_core.components import FrameSource, PoseModel, Processor, Sink
from dlclive_core.data.progress import Progress, State
from dlclive_core.data.stage_times import StageTimes
from dlclive_core.errors import UsageError
from dlclive_core.regions import Chain, Region, fit_to_model
from dlclive_core.session.array_processor import DeepLabCutLiveProcessor, as_processor
from dlclive_core.session.batch_size import Batch, check_batch
from dlclive_core.session.dimensions import check_dimensions
from dlclive_core.session.events import Event
from dlclive_core.session.passed_parts import passed_list, passed_model, passed_part, passed_source
from dlclive_core.session.report import SessionReport
from dlclive_core.session.run import Run
from dlclive_core.session.running_session import RunningSession
from dlclive_core.session.spec import SessionSpec, StopRequest


class Session:
    """Runs one source, one model, processors and sinks.

        capture thread         the loop's thread                              a thread per sink
        source.read  ->  [ ]  ->  region -> model -> processors in order  ->  [ queue ]  ->  sink.write

    A recording is lossless: every stage waits for the next one. A live source is never blocked: the newest frame wins,
    and overwritten frames are counted as dropped. An error of the model, the source or a processor ends the session; an
    error of a sink detaches that sink. In every case, all that was opened is closed: processors first, because they may
    hold hardware; then the source; then the sinks, which first write their backlog. Whatever does not return from its
    close is reported after two seconds and abandoned. Ctrl-C (KeyboardInterrupt) closes in the same order; press it again to
    quit immediately. The thread that calls `run` waits, and is free for signals.

    To run several sessions together, use `Rig`.

    Args:
        source: opened, read and closed by the session.
        model: loaded and closed by the caller, so that successive sessions can share it.
        processors: run in this order on every pose; objects in DeepLabCut-live's style are accepted. To let a processor
            fail without ending the session, wrap it in `Tolerant`.
        sinks: each receives every estimate, in frame order.
        regions: the part of the frame that the model sees; each region is cut out of the one before it. None: the regions
            of the model's profile, or the full frame for a model without a profile.
        max_frames: stop after this many frames.
        batch: frames of a recording per call of the model. "auto": measured at the beginning, if the recording is long
            enough. A batch of more than one needs frames that do not depend on the previous pose: no live source, no
            window that follows the animal, no model that remembers.
        queue_size: capacity of each sink's queue, in estimates, and of a recording's queue, in frames. None: 8 for a
            recording, which waits for its sinks; for a live source 128, or fewer to hold at most 512 MB of images, so that
            a disk that is briefly busy causes no dropped frames. A queue always has room for a full batch.
        deadline: seconds that the model or a processor may spend on a frame of a live source. After that, the state is
            "hanging", an event names the component, and the stacks of all threads are written to standard error, once per
            run.
        name: the session's name in messages and reports; by default the source's name.
        stale_after: seconds without a frame of a live source until the state is "stale". None: two frame periods plus
            20 ms if the source declares its rate, otherwise one second.
    """

    def __init__(
        self,
        *,
        source: FrameSource,
        model: PoseModel,
        processors: Sequence[Processor | DeepLabCutLiveProcessor] = (),
        sinks: Sequence[Sink] = (),
        regions: Sequence[Region] | None = None,
        max_frames: int | None = None,
        batch: Batch = 1,
        queue_size: int | None = None,
        deadline: float = 1.0,
        stale_after: float | None = None,
        name: str = "",
    ) -> None:
        if max_frames is not None and not max_frames >= 1:
            raise UsageError(f"max_frames must be 1 or more; got {max_frames}")
        if max_frames is not None and not math.isinf(max_frames) and max_frames != int(max_frames):
            raise UsageError(f"max_frames must be a whole number; got {max_frames}")
        if not deadline > 0:
            raise UsageError(f"deadline must be more than 0 seconds; got {deadline:g}")
        if stale_after is not None and not stale_after > 0:
            raise UsageError(f"stale_after must be more than 0 seconds; got {stale_after:g}")
        self.source = source = passed_source(source, FrameSource)
        self.model = model = passed_model(model, PoseModel)
        self.processors = tuple(as_processor(processor) for processor in passed_list(processors, "processors"))
        self.sinks = tuple(
            passed_part(sink, Sink, "sinks", "sinks=[MemorySink()]") for sink in passed_list(sinks, "sinks")
        )
        if regions is None:
            regions = () if model.profile is None else model.profile.regions()
        self.region = Chain(
            [
                passed_part(part, Region, "regions", "regions=[Crop(0, 320, 0, 240)]")
                for part in passed_list(regions, "regions")
            ]
        )
        fit_to_model(self.region, *model.cards)
        check_dimensions(self.model.dimensions, (*self.processors, *self.sinks))
        self.max_frames = None if max_frames is None or math.isinf(max_frames) else int(max_frames)
        self.batch = check_batch(batch, source, model, self.region)
        self.queue_size = queue_size
        self.deadline = deadline
        self.stale_after = stale_after
        self._name = name
        self.report: SessionReport | None = None
        self._busy = threading.Lock()  # held during a run
        self._stop = StopRequest()
        self._running: RunningSession | None = None

    @property
    def name(self) -> str:
        """The session's name; by default the source's name."""
        return self.spec().name

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called, for this run or the last one."""
        return self._stop.is_set

    @property
    def processed(self) -> int:
        """The number of frames whose poses went to the sinks so far."""
        return self._running.processed if self._running is not None else 0

    @property
    def state(self) -> State:
        """See `Progress.state`. Any thread may read it."""
        return self._running.state if self._running is not None else "idle"

    @property
    def progress(self) -> Progress:
        """The current state and counts. Any thread may read them."""
        return self._running.progress() if self._running is not None else Progress("idle")

    @property
    def stages(self) -> tuple[StageTimes, ...]:
        """The times of all stages so far. Any thread may read them; a call takes about a millisecond."""
        return self._running.times() if self._running is not None else ()

    @property
    def events(self) -> tuple[Event, ...]:
        """The unusual events so far. Any thread may read them."""
        return self._running.events.all() if self._running is not None else ()

    def stop(self) -> None:
        """End the session after the current frame. May be called from any thread or a signal handler.

        Before a run, it ends the next run before its first frame; runs after that are not affected.
        """
        if self._stop.is_spent:
            self._stop = StopRequest()
        self._stop.is_set = True
        if self._running is not None:
            # In another thread: a signal may have interrupted the very code that holds the handoff's lock.
            threading.Thread(target=self._running.capture.handoff.end, name="dlclive stop", daemon=True).start()

    def spec(self) -> SessionSpec:
        """The session's parts and settings, for `Run`."""
        return SessionSpec(
            source=self.source,
            model=self.model,
            processors=self.processors,
            sinks=self.sinks,
            region=self.region,
            max_frames=self.max_frames,
            batch=self.batch,
            queue_size=self.queue_size,
            deadline=self.deadline,
            stale_after=self.stale_after,
            custom_name=self._name,
            stop=self._stop,
        )

    def run(self) -> SessionReport:
        """Run until the source ends, `stop` is called or something fails; `report` is set in every case.

        Raises:
            UsageError: the session is running already, in another thread.
            DLCLiveError: a component failed; the message names it.
            KeyboardInterrupt: after everything is closed.
        """
        (report,) = run_together([self])
        return report


def run_together(
    sessions: Sequence[Session], spec_of: Callable[[Session], SessionSpec] = Session.spec
) -> tuple[SessionReport, ...]:
    """Run sessions at the same time, each as `spec_of` says; raise the first error after all are closed."""
    with ExitStack() as held:
        for session in sessions:
            if not session._busy.acquire(blocking=False):
                raise UsageError(f"session {session.name} is running already; wait for its end, or create another one")
            held.callback(session._busy.release)
        for session in sessions:
            if session._stop.is_spent:
                session._stop = StopRequest()
        run = Run([spec_of(session) for session in sessions])
        for session, running in zip(sessions, run.sessions, strict=True):
            session.report, session._running = None, running
        try:
            run.go()
        finally:
            reports = tuple(running.report() for running in run.sessions)
            for session, report in zip(sessions, reports, strict=True):
                session.report = report
                session._stop.is_spent = True
        return reports
