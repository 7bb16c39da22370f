"""The loop that takes frames of one or more sources through one model."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel, Processor
from dlclive_core.data.estimate import Estimate, RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.errors import DLCLiveError, FrameError, ModelError, PluginError, one_line
from dlclive_core.regions import CropTransform
from dlclive_core.session.batch_size import batch_that_pays
from dlclive_core.session.component_calls import checked_pose, checked_poses, close_limit, errors_named
from dlclive_core.session.running_session import RunningSession, failures_belong_to
from dlclive_core.session.tolerant import processor_name

_POLL = 0.5  # seconds: how often a waiting main thread checks for signals, on systems where they do not wake it


@dataclass(frozen=True, slots=True)
class Busy:
    """The loop's current activity: the component, the sessions, what for ("frame 3", "open", ...), and the start time.

    `limit` is the number of seconds that the shutdown waits for a `close`.
    """

    component: str
    sessions: tuple[RunningSession, ...]
    doing: str
    since: float
    limit: float | None = None

    @property
    def is_closing(self) -> bool:
        return self.doing == "close"


@dataclass(frozen=True, slots=True)
class Job:
    """A frame, and the image cut out of it for the model."""

    session: RunningSession
    frame: Frame
    image: NDArray[np.uint8]
    transform: CropTransform
    taken: float
    cut: float


class Loop:
    """Takes the next frame of each session that has one, and runs the model on them together.

    Images of the same shape form a batch. Each session's processors receive its pose as soon as its batch is done. All of
    this happens in one thread.

    If a batch fails, its frames are processed one by one: the error names the frame that fails, and the poses before it
    are kept.

    Attributes:
        busy: for the watchdog; None while the loop waits for a frame.
        abandoned: set when the shutdown stops waiting; the loop does nothing after a call that returns late.
    """

    def __init__(self, model: PoseModel, sessions: Sequence[RunningSession], changed: threading.Condition) -> None:
        self.model = model
        self.sessions = tuple(sessions)
        self.busy: Busy | None = None
        self.abandoned = threading.Event()
        self._unclosed = deque((session, processor) for session in sessions for processor in session.processors)
        self._changed = changed
        self._active = list(sessions)
        self._together = True

    def warm_up(self) -> None:
        """Run the model on grey images of the sessions' frame sizes, so that the first real frame is not slow."""
        self.busy = Busy("the model", self.sessions, "its warm-up", time.perf_counter())
        with errors_named(ModelError, "the model could not be reset"):
            self.model.reset()
        shapes: dict[tuple[int, ...], list[RunningSession]] = {}
        for session in self.sessions:
            session.region.reset()
            if (size := session.facts.frame_size) is not None:
                for height, width in session.region.views((size[1], size[0])):
                    shapes.setdefault((height, width, 3), []).append(session)
        for shape, sessions in shapes.items():
            with errors_named(ModelError, f"the model failed on a grey image of {shape[1]} x {shape[0]}"):
                self.model.warmup(shape)
            for session in sessions:
                if session.spec.batch == "auto":
                    session.batch = batch_that_pays(self.model, shape, session.capture.expected)
            for count in sorted({*range(2, len(sessions) + 1), *(session.batch for session in sessions)} - {1}):
                self._warm_up_together(shape, count)
        with errors_named(ModelError, "the model could not be reset"):
            self.model.reset()  # grey images are no part of the run: neither of what it follows, nor of what it counts
        self.busy = None

    def open_processors(self, runs: Mapping[RunningSession, RunInfo]) -> None:
        """Open all processors, each with the description of its session's run."""
        for session in self.sessions:
            for processor in session.processors:
                name = f"processor {processor_name(processor)}"
                self.busy = Busy(name, (session,), "open", time.perf_counter())
                with failures_belong_to(session), errors_named(PluginError, f"{name} could not be opened"):
                    processor.open(runs[session])
        self.busy = None

    def _warm_up_together(self, shape: tuple[int, ...], count: int) -> None:
        images = [np.full(shape, 127, np.uint8)] * count
        try:
            for _ in range(2):  # some runtimes prepare for a shape when it repeats
                self.model.predict_batch(images)
        except (DLCLiveError, KeyboardInterrupt):
            raise
        except BaseException as error:
            batch = f"{count} images of {shape[1]} x {shape[0]}"
            raise ModelError(f"the model failed on a batch of {batch}; try a smaller one: {one_line(error)}") from error

    def run(self) -> None:
        """Run until the last session is over. Raises the errors of sources, model and processors."""
        try:
            while taken := self._take():
                self._work(taken)
                self.busy = None
        except BaseException as error:
            for session in self.busy.sessions if self.busy is not None else ():
                if not isinstance(error, KeyboardInterrupt):
                    session.failure = error
            raise
        finally:
            self.busy = None

    def close_processors(self) -> None:
        """Close all processors, even if some raise; each session keeps its first error.

        If it hangs in one, another thread may call it again, which continues with the next processor.
        """
        while self._unclosed:
            session, processor = self._unclosed.popleft()
            name = processor_name(processor)
            limit = close_limit(processor)
            busy = self.busy = Busy(f"processor {name}", (session,), "close", time.perf_counter(), limit)
            try:
                processor.close()
            except BaseException as error:
                session.note_close_error(PluginError, f"processor {name} could not be closed", error)
            if self.busy is busy:  # not another thread's
                self.busy = None

    def _take(self) -> list[tuple[RunningSession, Frame]]:
        """Wait for frames; empty when all sessions are over."""
        while self._active and not self.abandoned.is_set():
            with self._changed:
                self._active = [session for session in self._active if not self._end_if_over(session)]
                taken = []
                for session in self._active:
                    for frame in session.capture.handoff.poll(session.batch):
                        session.note_frame(frame)
                        taken.append((session, frame))
                if taken:
                    return taken
                if self._active:
                    self._changed.wait(_POLL)
        return []

    def _end_if_over(self, session: RunningSession) -> bool:
        """End the session if it was stopped or its source has ended; return whether it is over. Raises its source's error."""
        handoff = session.capture.handoff
        if session.should_end:
            handoff.end()
        elif not handoff.is_over:
            return False
        elif handoff.error is not None:
            session.failure = handoff.error
            raise handoff.error
        session.mark_ended()
        return True

    def _work(self, taken: list[tuple[RunningSession, Frame]]) -> None:
        clock = time.perf_counter
        jobs = []
        for session, frame in taken:
            began = clock()
            self.busy = Busy("a region", (session,), f"frame {frame.index}", began)
            with errors_named(FrameError, f"{self._where(session, frame)} cannot be cut"):
                image, transform = session.region.cut(frame.image)
            jobs.append(Job(session, frame, image, transform, began, clock()))
        for batch in _same_shapes(jobs) if self._together and len(jobs) > 1 else [[job] for job in jobs]:
            self._infer(batch)

    def _infer(self, batch: list[Job]) -> None:
        began = time.perf_counter()
        self.busy = Busy("the model", tuple(job.session for job in batch), f"frame {batch[0].frame.index}", began)
        try:
            poses = self._predict(batch)
        except Exception as error:
            if len(batch) == 1 or self.abandoned.is_set():
                raise
            failure = error
        else:
            ended = time.perf_counter()
            for job, pose in zip(batch, poses, strict=True):
                self._deliver(job, pose, began, ended, share=min(len(batch), job.session.batch))
            return
        sessions = {id(job.session): job.session for job in batch}.values()
        self._together = False
        for session in sessions:
            session.batch = 1
        for job in batch:
            self._infer([job])  # raises at the frame that fails
        for session in sessions:
            session.events.add(
                "batch", f"batch size is 1 from now on: a batch of {len(batch)} frames failed: {one_line(failure)}"
            )

    def _predict(self, batch: list[Job]) -> list[Pose]:
        images = [job.image for job in batch]
        # Pad the last batch of a recording: some runtimes prepare anew for each batch size.
        images += images[-1:] * (batch[0].session.batch - len(images))
        where = self._where(batch[0].session, batch[0].frame)
        with errors_named(ModelError, f"the model failed at {where}"):
            if len(images) == 1:
                results = [self.model.predict_frame(batch[0].frame, images[0])]
            else:
                results = self.model.predict_batch(images)
        return checked_poses(results, len(batch), self.model, where)

    def _deliver(self, job: Job, pose: Pose, began: float, ended: float, *, share: int) -> None:
        if self.abandoned.is_set():
            return
        clock = time.perf_counter
        session, frame = job.session, job.frame
        mapping = clock()
        pose = job.transform.pose_to_outer(pose)
        session.region.follow(pose)  # the region follows the model's pose, not the processors' result
        mapped = ready = now = clock()
        if session.region.looks_again:
            pose = self._look_again(job)
            ended = ready = now = clock()
        model_pose, session.clock.posed_at = pose, ended
        for processor in session.processors:
            self.busy = Busy(f"processor {processor_name(processor)}", (session,), f"frame {frame.index}", now)
            pose = self._process(processor, pose, session, frame)
            if self.abandoned.is_set():
                return
            now = clock()
        session.hand_over(Estimate(frame, pose, began, ended, now, None if pose is model_pose else model_pose))
        stage_times = session.stage_times
        stage_times["wait"].add(job.taken - frame.captured_at)
        stage_times["region"].add(job.cut - job.taken + mapped - mapping)
        stage_times["inference"].add((ended - began) / share)
        stage_times["processors"].add(now - ready)

    def _look_again(self, job: Job) -> Pose:
        """Run the model on this frame again, after the animal was lost in the region. Counts as inference."""
        region, frame = job.session.region, job.frame
        self.busy = Busy("the model", (job.session,), f"frame {frame.index}", time.perf_counter())
        image, transform = region.cut(frame.image)
        (pose,) = self._predict([replace(job, image=image)])
        pose = transform.pose_to_outer(pose)
        region.follow(pose)
        return pose

    def _process(self, processor: Processor, pose: Pose, session: RunningSession, frame: Frame) -> Pose:
        name, where = processor_name(processor), self._where(session, frame)
        with errors_named(PluginError, f"processor {name} failed at {where}"):
            result = processor.process(pose, frame)
        return checked_pose(result, pose, name, where)

    def _where(self, session: RunningSession, frame: Frame) -> str:
        return f"frame {frame.index}" + (f" of {session.spec.name}" if len(self.sessions) > 1 else "")


def _same_shapes(jobs: list[Job]) -> list[list[Job]]:
    shapes: dict[tuple[int, ...], list[Job]] = {}
    for job in jobs:
        shapes.setdefault(job.image.shape, []).append(job)
    return list(shapes.values())
