"""Frames and poses never change after they are passed on, even if a component or a user reuses its arrays."""

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from dlclive_core import (
    EndOfStream,
    Frame,
    FrameSource,
    MemorySink,
    Pose,
    Processor,
    Session,
    Skeleton,
)
from dlclive_core.components import Sink
from dlclive_core.data.estimate import Estimate
from dlclive_core.models.outputs import read_poses
from dlclive_core.testing import NullModel

MOUSE = Skeleton(("k0", "k1", "k2", "k3"))
FRAMES = 40


class Numbered(FrameSource):
    """Frame n shows n. Reuses `buffers` arrays in turn; None: a new array for each frame."""

    name = "numbered"
    frame_size = (8, 6)

    def __init__(self, buffers: int | None = None, *, is_live: bool = False) -> None:
        self.is_live = is_live
        self.buffers = [np.zeros((6, 8, 3), np.uint8) for _ in range(buffers or 0)]
        self.next = 0

    def read(self, timeout: float) -> Frame:
        if self.next == FRAMES:
            raise EndOfStream
        image = self.buffers[self.next % len(self.buffers)] if self.buffers else np.zeros((6, 8, 3), np.uint8)
        image[:] = self.next
        self.next += 1
        return Frame(image, self.next - 1, time.perf_counter())


class Keep(Sink):
    def __init__(self) -> None:
        self.estimates: list[Estimate] = []

    def write(self, estimate: Estimate) -> None:
        self.estimates.append(estimate)


@pytest.mark.parametrize("buffers", [None, 1, 2, 3, 10])
def test_a_source_that_reuses_its_buffers_changes_no_frame(buffers: int | None) -> None:
    sink = Keep()
    Session(source=Numbered(buffers), model=NullModel(), sinks=[sink]).run()
    shown = [int(estimate.frame.image[0, 0, 0]) for estimate in sink.estimates]
    assert shown == list(range(FRAMES))


def test_frames_of_a_source_with_new_images_are_soon_not_copied() -> None:
    source, frames = Numbered(), []
    read = source.read

    def remember(timeout: float) -> Frame:
        frames.append(read(timeout))
        return frames[-1]

    source.read = remember  # type: ignore[method-assign]
    sink = Keep()
    Session(source=source, model=NullModel(), sinks=[sink]).run()
    assert np.shares_memory(sink.estimates[-1].frame.image, frames[-1].image)


class Scribbler(Processor):
    def __init__(self, where: str) -> None:
        self.where = where

    def process(self, pose: Pose, frame: Frame) -> Pose:
        array = frame.image if self.where == "image" else getattr(pose, self.where)
        array[:] = 0
        return pose


@pytest.mark.parametrize("where", ["image", "keypoints", "xy", "confidence"])
def test_a_processor_cannot_write_into_its_arguments(where: str) -> None:
    with pytest.raises(Exception, match=r"Scribbler failed at frame 0: .*read-only"):
        Session(source=Numbered(), model=NullModel(), processors=[Scribbler(where)]).run()


class OneArray(Processor):
    """A dlclive processor that counts in arrays it reuses."""

    def __init__(self) -> None:
        self.keypoints = np.zeros((1, 4, 3), np.float32)
        self.unique, self.boxes = np.zeros((1, 3), np.float32), np.zeros((1, 5), np.float32)
        self.counts = {"seen": 0}

    def process(self, pose: Pose, frame: Frame) -> Pose:
        for array in (self.keypoints, self.unique, self.boxes):
            array[:] = frame.index
        self.counts["seen"] += 1
        return Pose(self.keypoints, pose.skeleton, unique=self.unique, boxes=self.boxes)

    @property
    def statistics(self) -> Mapping[str, float]:
        return self.counts


class OldStyle:
    """A DeepLabCut-live-style processor that returns the same array, of the right type, each time."""

    def __init__(self, shape: tuple[int, ...], dtype: type) -> None:
        self.state, self.count = np.zeros(shape, dtype), -1

    def process(self, pose: np.ndarray, **kwargs: object) -> np.ndarray:
        self.count += 1
        self.state[..., :2], self.state[..., 2] = self.count, 0.9
        return self.state


@pytest.mark.parametrize(
    "processor",
    [OneArray(), OldStyle((4, 3), np.float32), OldStyle((1, 4, 3), np.float32), OldStyle((4, 3), np.float64)],
)
def test_a_processor_that_reuses_its_arrays_changes_no_pose(processor: Processor) -> None:
    sink = MemorySink()
    Session(source=Numbered(), model=NullModel(), processors=[processor], sinks=[sink]).run()
    for array in ("keypoints", "unique", "boxes"):
        values = [getattr(pose, array) for pose in sink.poses]
        if values[0] is not None:
            assert [int(value.flat[0]) for value in values] == list(range(FRAMES))


def test_statistics_are_from_the_end_of_the_run() -> None:
    processor = OneArray()
    report = Session(source=Numbered(), model=NullModel(), processors=[processor]).run()
    processor.counts["seen"] = -1
    assert report.processors[0].statistics["seen"] == FRAMES


def test_a_pose_copies_its_arrays() -> None:
    keypoints, boxes = np.ones((1, 4, 3), np.float32), np.ones((1, 5), np.float32)
    pose = Pose(keypoints, MOUSE, ids=["a"], boxes=boxes)  # type: ignore[arg-type]
    keypoints[:], boxes[:] = 7, 7
    assert (pose.keypoints == 1).all()
    assert pose.boxes is not None
    assert (pose.boxes == 1).all()
    assert pose.ids == ("a",)
    for array in (pose.keypoints, pose.xy, pose.confidence, pose.single(), pose.boxes):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
    other = replace(pose, ids=None)
    assert other.keypoints is pose.keypoints  # read-only, so it need not be copied again


def test_a_network_that_reuses_its_arrays_changes_no_pose() -> None:
    arrays = {"keypoints": np.ones((1, 1, 4, 3), np.float32)}
    (pose,) = read_poses(arrays, NullModel().card)
    arrays["keypoints"][:] = 7
    assert (pose.keypoints == 1).all()
