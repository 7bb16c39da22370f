"""The loop: frames of one or several sources through one model."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel, Processor
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.errors import DLCLiveError, ModelError, PluginError, one_line
from dlclive_core.regions import CropTransform
from dlclive_core.session.batch_size import batch_that_pays
from dlclive_core.session.running_session import Lane
from dlclive_core.session.tolerant import processor_name

_POLL = 0.5  # seconds: how often a waiting main thread looks for signals, where they do not wake it


@dataclass(frozen=True, slots=True)
class Busy:
    """What the loop is doing: at whose frame, and since when."""

    what: str
    lanes: tuple[Lane, ...]
    index: int
    since: float


@dataclass(frozen=True, slots=True)
class Job:
    """A frame, and what the model looks at of it."""

    lane: Lane
    frame: Frame
    image: NDArray[np.uint8]
    transform: CropTransform
    taken: float
    cut: float


class Loop:
    """Takes the next frame of each lane that has one, and brings them through the model together.

    Images of one shape are one batch; each lane's processors see its pose as soon as its batch is done. All is done by
    one thread.

    A batch that fails is gone through frame by frame: the one to blame is named, and those before it are kept.

    Attributes:
        busy: for the watch; None while it waits for a frame.
    """

    def __init__(self, model: PoseModel, lanes: Sequence[Lane], changed: threading.Condition) -> None:
        self.model = model
        self.lanes = tuple(lanes)
        self.busy: Busy | None = None
        self._changed = changed
        self._running = list(lanes)
        self._together = True

    def warm_up(self) -> None:
        """Run the model on grey images as large as the lanes' frames, so that no real frame is the slow one."""
        self.model.reset()
        shapes: dict[tuple[int, ...], list[Lane]] = {}
        for lane in self.lanes:
            lane.region.reset()
            if (size := lane.capture.source.frame_size) is not None:
                for height, width in lane.region.views((size[1], size[0])):
                    shapes.setdefault((height, width, 3), []).append(lane)
        for shape, lanes in shapes.items():
            self.model.warmup(shape)
            for lane in lanes:
                if lane.session.batch == "auto":
                    lane.batch = batch_that_pays(self.model, shape, lane.capture.expected)
            for count in sorted({*range(2, len(lanes) + 1), *(lane.batch for lane in lanes)} - {1}):
                self._warm_up_together(shape, count)

    def _warm_up_together(self, shape: tuple[int, ...], count: int) -> None:
        images = [np.full(shape, 127, np.uint8)] * count
        try:
            for _ in range(2):  # some runtimes prepare for what comes again
                self.model.predict_batch(images)
        except DLCLiveError:
            raise
        except Exception as error:
            what = f"{count} images of {shape[1]} x {shape[0]} at once"
            raise ModelError(f"the model failed at {what}, try fewer: {one_line(error)}") from error

    def run(self) -> None:
        """Until the last lane is over. Raises what the sources, the model and the processors raise."""
        try:
            while taken := self._take():
                self._work(taken)
                self.busy = None
        except Exception as error:
            for lane in self.busy.lanes if self.busy is not None else ():
                lane.failure = error
            raise
        finally:
            self.busy = None

    def close_processors(self) -> None:
        """Close all of them, whatever one of them does; a lane keeps the first error."""
        for lane in self.lanes:
            for processor in lane.processors:
                try:
                    processor.close()
                except Exception as error:
                    lane.failure = lane.failure or error

    def _take(self) -> list[tuple[Lane, Frame]]:
        """Wait for frames; empty when there will be none."""
        while self._running:
            with self._changed:
                self._running = [lane for lane in self._running if not self._is_over(lane)]
                taken = []
                for lane in self._running:
                    for frame in lane.capture.handoff.poll(lane.batch):
                        lane.see(frame)
                        taken.append((lane, frame))
                if taken:
                    return taken
                if self._running:
                    self._changed.wait(_POLL)
        return []

    def _is_over(self, lane: Lane) -> bool:
        handoff = lane.capture.handoff
        if lane.wants_no_more:
            handoff.end()
        elif not handoff.is_over:
            return False
        elif handoff.error is not None:
            lane.failure = handoff.error
            raise handoff.error
        lane.is_over()
        return True

    def _work(self, taken: list[tuple[Lane, Frame]]) -> None:
        clock = time.perf_counter
        jobs = []
        for lane, frame in taken:
            began = clock()
            self.busy = Busy("a region", (lane,), frame.index, began)
            image, transform = lane.region.cut(frame.image)
            jobs.append(Job(lane, frame, image, transform, began, clock()))
        for batch in _same_shapes(jobs) if self._together and len(jobs) > 1 else [[job] for job in jobs]:
            self._infer(batch)

    def _infer(self, batch: list[Job]) -> None:
        began = time.perf_counter()
        self.busy = Busy("the model", tuple(job.lane for job in batch), batch[0].frame.index, began)
        try:
            poses = self._predict(batch)
        except Exception as error:
            if len(batch) == 1:
                raise
            failure = error
        else:
            ended = time.perf_counter()
            for job, pose in zip(batch, poses, strict=True):
                self._deliver(job, pose, began, ended, share=min(len(batch), job.lane.batch))
            return
        lanes = {id(job.lane): job.lane for job in batch}.values()
        self._together = False
        for lane in lanes:
            lane.batch = 1
        for job in batch:
            self._infer([job])  # raises at the frame to blame
        for lane in lanes:
            lane.events.add("batch", f"one by one from here: {len(batch)} frames at once failed: {one_line(failure)}")

    def _predict(self, batch: list[Job]) -> list[Pose]:
        images = [job.image for job in batch]
        # What a recording leaves for its last batch is filled up: some runtimes prepare anew for each number of images.
        images += images[-1:] * (batch[0].lane.batch - len(images))
        try:
            if len(images) == 1:
                return [self.model.predict(images[0])]
            return self.model.predict_batch(images)[: len(batch)]
        except DLCLiveError:
            raise
        except Exception as error:
            where = self._where(batch[0].lane, batch[0].frame)
            raise ModelError(f"the model failed at {where}: {one_line(error)}") from error

    def _deliver(self, job: Job, pose: Pose, began: float, ended: float, *, share: int) -> None:
        clock = time.perf_counter
        lane, frame = job.lane, job.frame
        mapping = clock()
        pose = job.transform.pose_to_outer(pose)
        lane.region.follow(pose)  # the model's own pose steers the region, whatever processors make of it
        mapped = ready = now = clock()
        if lane.region.looks_again:
            pose = self._look_again(job)
            ended = ready = now = clock()
        for processor in lane.processors:
            self.busy = Busy(f"processor {processor_name(processor)}", (lane,), frame.index, now)
            pose = self._process(processor, pose, lane, frame)
            now = clock()
        lane.hand_over(frame, pose, began, ended, now)
        watches = lane.watches
        watches["wait"].add(job.taken - frame.captured_at)
        watches["region"].add(job.cut - job.taken + mapped - mapping)
        watches["inference"].add((ended - began) / share)
        watches["processors"].add(now - ready)

    def _look_again(self, job: Job) -> Pose:
        """The animal was lost in what the model saw of this frame; all of it counts as inference."""
        region, frame = job.lane.region, job.frame
        self.busy = Busy("the model", (job.lane,), frame.index, time.perf_counter())
        image, transform = region.cut(frame.image)
        (pose,) = self._predict([replace(job, image=image)])
        pose = transform.pose_to_outer(pose)
        region.follow(pose)
        return pose

    def _process(self, processor: Processor, pose: Pose, lane: Lane, frame: Frame) -> Pose:
        try:
            return processor.process(pose, frame)
        except DLCLiveError:
            raise
        except Exception as error:
            where = self._where(lane, frame)
            raise PluginError(f"processor {processor_name(processor)} failed at {where}: {one_line(error)}") from error

    def _where(self, lane: Lane, frame: Frame) -> str:
        return f"frame {frame.index}" + (f" of {lane.session.name}" if len(self.lanes) > 1 else "")


def _same_shapes(jobs: list[Job]) -> list[list[Job]]:
    shapes: dict[tuple[int, ...], list[Job]] = {}
    for job in jobs:
        shapes.setdefault(job.image.shape, []).append(job)
    return list(shapes.values())
