"""The state of one session during a run: source, region, processors, sinks and counters."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

from dlclive_core.data.estimate import Estimate, RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.data.progress import Progress, State
from dlclive_core.data.run_clock import RunClock
from dlclive_core.data.stage_times import StageTimes, Stopwatch
from dlclive_core.errors import DLCLiveError, SourceError, one_line
from dlclive_core.session.batch_size import LARGEST
from dlclive_core.session.capture import Capture
from dlclive_core.session.events import Events
from dlclive_core.session.handoff import DroppingQueue, Handoff, LosslessQueue
from dlclive_core.session.report import Drops, Ending, SessionReport
from dlclive_core.session.sink_thread import SinkThread, room_for
from dlclive_core.session.source_check import SourceCheck
from dlclive_core.session.source_facts import SourceFacts
from dlclive_core.session.spec import SessionSpec
from dlclive_core.session.tolerant import numbers_of, processor_result

_AHEAD = 8  # frames of a recording that are decoded ahead, and estimates that wait for each of its sinks
STAGES = ("wait", "region", "inference", "processors", "sinks", "age", "latency")


class RunningSession:
    """The state of one session during a run. Used by the loop's thread, except where a method allows any thread.

    Args:
        changed: notified of each frame; shared by the sessions of one loop.

    Attributes:
        batch: frames per call of the model.
        phase: the progress of the run.
        is_stale, is_hanging: set by the watchdog.
        failure: the error that ended the run, if it happened in this session.
        close_failure: what went wrong in closing, after the last frame: files are finished all the same.
        facts: what the source says about itself.
        clock: what the processors ask for the time.
        is_stopped: the session ends because of an event outside it.
    """

    def __init__(self, spec: SessionSpec, changed: threading.Condition) -> None:
        self.spec = spec
        self.region = spec.region
        self.processors = spec.processors
        most = LARGEST if spec.batch == "auto" else spec.batch
        self.batch = 1 if spec.batch == "auto" else spec.batch
        ahead = max(spec.queue_size or _AHEAD, most)  # a batch leaves at once, so the next is decoded meanwhile
        self.clock = RunClock()
        self.events = Events(spec.name)
        self.facts = SourceFacts(spec.source, self.events)
        check = SourceCheck(spec.source, self.facts, self.events)
        self.capture = Capture(
            spec.source,
            self.facts,
            limit=spec.max_frames,
            ahead=ahead,
            changed=changed,
            check=check,
            handoff=None if spec.handoff is None else spec.handoff(changed),
            pace=spec.pace,
        )
        self.sinks = [SinkThread(sink, queue=self._queue(), events=self.events) for sink in spec.sinks]
        self.stage_times = {name: Stopwatch(name) for name in STAGES}
        self.phase: Literal["starting", "running", "closing", "ended"] = "starting"
        self.is_stale = self.is_hanging = False
        self.stalls = 0
        self.longest_stall = 0.0
        self.failure: BaseException | None = None
        self.close_failure: BaseException | None = None
        self.is_stopped = False
        self.taken = self.processed = self.unlike = 0
        self.latency = 0.0
        self.started_at = datetime.now().astimezone()
        self._began = self._ended = 0.0
        self._shape: tuple[int, ...] | None = None
        self._ending: Ending | None = None

    def _queue(self) -> Handoff[Estimate]:
        if self.spec.source.is_live:
            return DroppingQueue(self.spec.queue_size or room_for)
        return LosslessQueue(self.spec.queue_size or _AHEAD)

    # ---- while it runs

    @property
    def state(self) -> State:
        """See `Progress.state`."""
        if self.phase != "running":
            return self.phase
        if self._ending is not None or self.failure is not None or self.should_end:  # others of the rig may go on
            return "closing"
        return "hanging" if self.is_hanging else "stale" if self.is_stale else "running"

    def progress(self) -> Progress:
        """The current counts. Any thread may call it."""
        handoff, source = self.capture.handoff, self.facts
        has_ended = self.phase in ("closing", "ended")  # before, a frame that was taken is at work and has not failed
        failed = self.taken - self.processed if has_ended else 0
        return Progress(
            state=self.state,
            missed=source.skipped + source.lost + source.corrupt,
            frames_read=self.capture.read,
            processed=self.processed,
            dropped=handoff.dropped + handoff.left + failed,
            not_written=sum(sink.dropped for sink in self.sinks),
            latency=self.latency,
            trouble=source.trouble,
        )

    @property
    def should_end(self) -> bool:
        """The session was stopped, or all of its sinks have failed."""
        return self.is_stopped or self.spec.stop.is_set or self._all_sinks_failed

    @property
    def _all_sinks_failed(self) -> bool:
        return bool(self.sinks) and all(sink.error is not None for sink in self.sinks)

    def describe(self, started_at: datetime, started_clock: float) -> RunInfo:
        """The description of the run for processors and sinks."""
        self.started_at, self.events.started = started_at, started_clock
        source = self.facts
        return RunInfo(
            card=self.spec.model.card,
            source=source.name,
            is_live=self.spec.source.is_live,
            frame_size=source.frame_size,
            fps=source.fps,
            frame_count=source.frame_count,
            started_at=started_at,
            started_clock=started_clock,
            name=self.spec.name,
            progress=self.progress,
            clock=self.clock,
            dimensions=self.spec.model.dimensions,
            unit=self.spec.model.unit,
        )

    def begin(self) -> None:
        """Start reading frames."""
        self.phase = "running"
        for notice in self.spec.model.notices:
            self.events.add("model", notice)
        self._began = self._ended = time.perf_counter()
        self.capture.begin()

    def note_frame(self, frame: Frame) -> None:
        """Count a frame that the loop has taken, and record a change of shape."""
        self.taken += 1
        if frame.image.shape != self._shape:
            if self._shape is not None:
                self.events.add(
                    "shape", f"frame {frame.index} is {_shape(frame.image.shape)}, previously {_shape(self._shape)}"
                )
            self._shape = frame.image.shape

    def hand_over(self, estimate: Estimate) -> None:
        """Pass a finished pose to the sinks."""
        captured, ready = estimate.frame.captured_at, estimate.ready_at
        for sink in self.sinks:
            sink.write(estimate)
        self.processed += 1
        pose = estimate.pose if estimate.model_pose is None else estimate.model_pose  # one without animals is false
        if pose.is_unlike:
            self._note_unlike(pose, estimate.frame)
        latency = ready - captured
        self.latency = latency if 0 <= latency < math.inf else 0.0  # else another clock stamped the frame
        self._ended = time.perf_counter()
        self.stage_times["sinks"].add(self._ended - ready)
        self.stage_times["age"].add(estimate.inference_began - captured)
        self.stage_times["latency"].add(latency)

    def _note_unlike(self, pose: Pose, frame: Frame) -> None:
        self.unlike += 1
        if self.unlike == 1:
            self.events.add(
                "unlike",
                f"frame {frame.index} is unlike what the student was trained on: {pose.unlike:.3g}, where 1 is the limit",
            )

    def times(self) -> tuple[StageTimes, ...]:
        """The times of all stages so far."""
        return (self.capture.stopwatch.times(), *(stopwatch.times() for stopwatch in self.stage_times.values()))

    # ---- the end

    def note_source_closed(self) -> None:
        """Record whether the source was closed without errors."""
        if self.capture.lingers:
            self.events.add("lingers", f"{self.facts.name} did not return from read and was abandoned")
        if self.capture.close_error is not None:
            self.note_close_error(SourceError, f"{self.facts.name} could not be closed", self.capture.close_error)

    def note_close_error(self, kind: type[DLCLiveError], text: str, error: BaseException) -> None:
        """Record the first error of a close. Any thread may call it."""
        if self.close_failure is None:
            self.close_failure = error if isinstance(error, DLCLiveError) else kind(f"{text}: {one_line(error)}")
            if self.close_failure is not error:
                self.close_failure.__cause__ = error

    def finish(self) -> None:
        """Have the sinks write their backlog, finish if the run is complete, and close; does not wait."""
        for sink in self.sinks:
            sink.stop(complete=self.all_frames_done)

    def mark_ended(self) -> None:
        """Fix the ending: no more frames of this session will be processed, even if other sessions go on."""
        self._ending = self._ending_of_frames

    @property
    def ending(self) -> Ending:
        """Why the session ended."""
        return "error" if self.close_failure is not None else self._ending_of_frames

    @property
    def error(self) -> BaseException | None:
        """What went wrong, while frames were processed or in closing."""
        return self.failure or self.close_failure

    @property
    def _ending_of_frames(self) -> Ending:
        if self.failure is not None:
            return "error"
        if self._ending is not None:
            return self._ending
        if self.is_stopped or self.spec.stop.is_set:
            return "stopped"
        if self._all_sinks_failed:
            return "sinks failed"
        return "frame limit" if self.capture.reached_limit else "end of source"

    @property
    def is_complete(self) -> bool:
        """See `SessionReport.complete`."""
        return self.all_frames_done and self.close_failure is None

    @property
    def all_frames_done(self) -> bool:
        """Whether the sinks have every pose that they should have, so that their files can be finished."""
        ending = self._ending_of_frames
        done = ending in ("end of source", "frame limit")
        return self._began > 0 and (done or (ending == "stopped" and self.capture.source.is_live))

    def report(self) -> SessionReport:
        """The session's report."""
        spec, handoff, source = self.spec, self.capture.handoff, self.facts
        drops = Drops(slot=handoff.dropped, left=handoff.left, failed=self.taken - self.processed)
        return SessionReport(
            name=spec.name,
            source=source.name,
            runtime=spec.model.runtime,
            device=spec.model.device,
            started_at=self.started_at,
            ending=self.ending,
            complete=self.is_complete,
            error=one_line(self.error),
            frames_read=self.capture.read,
            processed=self.processed,
            dropped=drops.total,
            drops=drops,
            corrupt=source.corrupt,
            skipped=source.skipped,
            lost=source.lost,
            reconnects=source.reconnects,
            stalls=self.stalls,
            longest_stall=self.longest_stall,
            duration=self._ended - self._began,
            batch=self.batch,
            unlike=self.unlike,
            model_statistics=numbers_of(spec.model, "the model"),
            stages=self.times(),
            processors=tuple(processor_result(processor) for processor in self.processors),
            sinks=tuple(sink.result() for sink in self.sinks),
            events=self.events.all(),
            events_omitted=self.events.omitted,
        )


@contextmanager
def failures_belong_to(*sessions: RunningSession) -> Iterator[None]:
    """Record an error of this block as the failure of these sessions."""
    try:
        yield
    except Exception as error:
        for session in sessions:
            session.failure = session.failure or error
        raise


def _shape(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} {'grey' if len(shape) == 2 else 'RGB'}"
