"""One source, one model, processors and sinks, running."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from dlclive_core.components import FrameSource, PoseModel, Processor, Sink
from dlclive_core.data.progress import Progress, State
from dlclive_core.errors import UsageError
from dlclive_core.regions import Chain, Region, check_follows
from dlclive_core.session.array_processor import DeepLabCutLiveProcessor, as_processor
from dlclive_core.session.batch_size import Batch, check_batch
from dlclive_core.session.events import Event
from dlclive_core.session.report import SessionReport
from dlclive_core.session.run import Run
from dlclive_core.session.running_session import RunningSession
from dlclive_core.session.spec import SessionSpec, StopRequest
from dlclive_core.session.stage_times import StageTimes


class Session:
    """One source, one model, processors and sinks, running together.

        capture thread         the thread that calls run()                    a thread per sink
        source.read  ->  [ ]  ->  region -> model -> processors in order  ->  [ queue ]  ->  sink.write

    A recording is lossless: every stage waits for the next one. A live source is not waited for: the newest frame wins
    and the overwritten ones are counted. An error of the model, the source or a processor ends the session; a sink's
    error detaches that sink. Whatever happens, all that was opened is closed: processors first, because they may hold
    hardware, then the source, then the sinks, which first write what they were given. Ctrl-C (KeyboardInterrupt) stops in
    this order, too; a second one ends at once.

    Several sessions run together as a `Rig`.

    Args:
        source: opened, read and closed by the session.
        model: loaded and closed by the caller, so that several sessions can use it one after the other.
        processors: run in this order on every pose; objects in DeepLabCut-live's style are taken, too. One that may fail
            without ending the session is wrapped in `Tolerant`.
        sinks: each gets every estimate, in the order of the frames.
        regions: what the model looks at, the first cut out of the frame, the next out of what is left, and so on. None: what
            the model's profile says, if it was loaded with one, else the whole frame.
        max_frames: stop after this many frames.
        batch: how many frames of a recording go through the model at once; "auto": tried out at the beginning, where the
            recording is long enough for that. More than one needs frames that do not depend on the pose before: no live
            source, no window that follows, no model that remembers.
        queue_size: how many estimates may wait for each sink, and how many frames of a recording for the model. None: 8 for a
            recording, which waits for its sinks; for a live source 128, or as many as hold 512 MB of images, so that
            a disk that is busy for a while costs no frame. A batch has room for its frames in any case.
        deadline: seconds that the model or a processor may take with a frame of a live source. When they are over, the
            state is "hanging", an event says which, and the stacks of all threads go to standard error, once a run.
        name: what the session is called in messages and reports; by default as the source.
        stale_after: seconds without a frame of a live source until the state is "stale". None: two periods and 20 ms where
            the source declares its rate, else one second.
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
        if not deadline > 0:
            raise UsageError(f"deadline is a number of seconds above 0; got {deadline:g}")
        if stale_after is not None and not stale_after > 0:
            raise UsageError(f"stale_after is a number of seconds above 0; got {stale_after:g}")
        self.source = source
        self.model = model
        self.processors = tuple(as_processor(processor) for processor in processors)
        self.sinks = tuple(sinks)
        if regions is None:
            regions = () if model.profile is None else model.profile.regions()
        self.region = Chain(regions)
        check_follows(self.region, model.card)
        self.max_frames = max_frames
        self.batch = check_batch(batch, source, model, self.region)
        self.queue_size = queue_size
        self.deadline = deadline
        self.stale_after = stale_after
        self._name = name
        self.report: SessionReport | None = None
        self._stop = StopRequest()
        self._running: RunningSession | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.spec().name

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set

    @property
    def processed(self) -> int:
        """Frames whose pose went to the sinks so far."""
        return self._running.processed if self._running is not None else 0

    @property
    def state(self) -> State:
        """See `Progress.state`. Any thread may ask."""
        return self._running.state if self._running is not None else "idle"

    @property
    def progress(self) -> Progress:
        """How the session is doing. Any thread may ask."""
        return self._running.progress() if self._running is not None else Progress("idle")

    @property
    def stages(self) -> tuple[StageTimes, ...]:
        """The times of all stages so far. Any thread may ask; it takes about a millisecond."""
        return self._running.times() if self._running is not None else ()

    @property
    def events(self) -> tuple[Event, ...]:
        """What was out of the ordinary so far. Any thread may ask."""
        return self._running.events.all() if self._running is not None else ()

    def stop(self) -> None:
        """End the session after the frame that is being processed. May be called from any thread or a signal handler."""
        self._stop.is_set = True
        if self._running is not None:
            # From another thread: the handoff's lock may be held by the very frame of code a signal interrupted.
            threading.Thread(target=self._running.capture.handoff.end, name="dlclive stop", daemon=True).start()

    def spec(self) -> SessionSpec:
        """The session as values, for the code that runs it."""
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
            given_name=self._name,
            stop=self._stop,
        )

    def run(self) -> SessionReport:
        """Run until the source ends, `stop` is called or something fails; `report` is set in every case."""
        (report,) = run_together([self])
        return report


def run_together(sessions: Sequence[Session]) -> tuple[SessionReport, ...]:
    """Run sessions at the same time; what fails first is raised when all are closed."""
    run = Run([session.spec() for session in sessions])
    for session, running in zip(sessions, run.sessions, strict=True):
        session.report, session._running = None, running
    try:
        run.go()
    finally:
        reports = tuple(running.report() for running in run.sessions)
        for session, report in zip(sessions, reports, strict=True):
            session.report = report
    return reports
