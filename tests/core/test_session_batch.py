"""Batches: several frames of a recording in one call of the model."""

import time
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dlclive_core import FollowingCrop, Frame, ModelError, Pose, Processor, Session, UsageError
from dlclive_core.plugins.builtin.memory import MemorySink
from dlclive_core.session.batch_size import batch_that_pays
from dlclive_core.testing import BlobModel, BlobSource, LiveBlobSource


class Batching(BlobModel):
    """Records the batch sizes; fails at the image with the mark `broken` (see `Marked`)."""

    def __init__(self, *, broken: int = -1) -> None:
        super().__init__()
        self.batches: list[int] = []
        self._broken = broken

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        if int(image[0, 0, 2]) == self._broken:
            raise ValueError("a bad image")
        return super().predict(image, boxes=boxes)

    def predict_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[Pose]:
        self.batches.append(len(images))
        return super().predict_batch(images)

    def warmup(self, shape: tuple[int, ...]) -> None:
        pass


class Marked(BlobSource):
    """The blue value of each frame's first pixel is the frame's index."""

    def read(self, timeout: float) -> Frame:
        frame = super().read(timeout)
        frame.image[0, 0] = (0, 0, frame.index)
        return frame


def test_the_poses_of_a_batch_are_processed_one_by_one() -> None:
    processed = []

    class Record(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            processed.append(frame.index)
            return pose

    source, sink, model = BlobSource(frames=11), MemorySink(), Batching()
    report = Session(source=source, model=model, processors=[Record()], sinks=[sink], batch=4).run()
    assert sink.indices == processed == list(range(11))
    for index, pose in zip(sink.indices, sink.poses, strict=True):
        assert np.abs(pose.single() - source.truth(index)).max() < 0.5
    assert set(model.batches) == {4}, "the last batch is padded: a runtime may prepare anew for each batch size"
    assert (report.batch, report.processed, report.dropped) == (4, 11, 0)
    assert report.stage("inference").count == 11


def test_a_small_queue_still_holds_a_full_batch() -> None:
    sink = MemorySink()
    report = Session(source=BlobSource(frames=20), model=Batching(), sinks=[sink], batch=16, queue_size=2).run()
    assert report.processed == 20


def test_the_frame_limit_may_end_within_a_batch() -> None:
    sink = MemorySink()
    report = Session(source=BlobSource(frames=40), model=Batching(), sinks=[sink], batch=4, max_frames=6).run()
    assert (sink.indices, report.complete) == (list(range(6)), True)


def test_an_error_in_a_batch_names_the_frame_and_keeps_the_poses_before_it() -> None:
    sink = MemorySink()
    session = Session(source=Marked(frames=20), model=Batching(broken=13), sinks=[sink], batch=8)
    with pytest.raises(ModelError, match=r"frame 13: .*a bad image"):
        session.run()
    assert sink.indices == list(range(13))
    assert session.report is not None
    assert session.report.frames_read == session.report.processed + session.report.dropped


class RunsOut(Batching):
    """Runs out of memory after some batches; by default after the two of the warm-up."""

    def __init__(self, batches: int = 2) -> None:
        super().__init__()
        self._limit = batches

    def predict_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[Pose]:
        if len(self.batches) == self._limit:
            raise MemoryError("out of memory")
        return super().predict_batch(images)


def test_frames_are_processed_one_by_one_after_a_batch_has_failed() -> None:
    sink = MemorySink()
    report = Session(source=BlobSource(frames=30), model=RunsOut(), sinks=[sink], batch=8).run()
    assert sink.indices == list(range(30))
    assert report.batch == 1
    (event,) = [event for event in report.events if event.kind == "batch"]
    assert "out of memory" in event.text


def test_a_batch_that_fails_in_the_warm_up_is_an_error_before_the_first_frame() -> None:
    source = BlobSource(frames=30)
    with pytest.raises(
        ModelError, match=r"failed on a batch of 8 images of 160 x 120; try a smaller one: .*out of memory"
    ):
        Session(source=source, model=RunsOut(0), batch=8).run()
    assert batch_that_pays(RunsOut(0), (120, 160, 3), 10_000) == 1


def test_a_stop_within_a_batch_counts_every_frame() -> None:
    class StopAt(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            if frame.index == 10:
                session.stop()
            return pose

    sink = MemorySink()
    session = Session(source=BlobSource(frames=200), model=Batching(), processors=[StopAt()], sinks=[sink], batch=8)
    report = session.run()
    assert sink.indices == list(range(16)), "the current batch is finished, and no other is started"
    assert report.ending == "stopped"
    assert report.frames_read == report.processed + report.dropped


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"source": LiveBlobSource(frames=3)}, "live source"),
        ({"regions": [FollowingCrop()]}, "follows the animal"),
        ({"batch": 0}, "at least 1"),
        ({"batch": True}, "at least 1"),
    ],
)
def test_impossible_batches_are_rejected(options: dict, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Session(**{"source": BlobSource(frames=3), "model": Batching(), "batch": 2, **options})


def test_a_model_that_remembers_is_not_batched() -> None:
    model = Batching()
    model.remembers = True
    with pytest.raises(UsageError, match="the previous frame: use batch=1, not 2"):
        Session(source=BlobSource(frames=3), model=model, batch=2)
    report = Session(source=BlobSource(frames=3), model=model, batch="auto").run()
    assert (report.batch, model.batches) == (1, [])


class Timed(Batching):
    """A model with a fixed duration for a single image, and one for a batch, in seconds."""

    def __init__(self, alone: float, batch: float) -> None:
        super().__init__()
        self._alone, self._batch = alone, batch

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        time.sleep(self._alone)
        return Pose.missing(self.card.skeleton)

    def predict_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[Pose]:
        time.sleep(self._batch)
        return [Pose.missing(self.card.skeleton)] * len(images)


def test_batches_are_chosen_if_they_are_faster() -> None:
    shape = (480, 640, 3)
    assert batch_that_pays(Timed(alone=0.01, batch=0.01), shape, 10_000) == 8
    assert batch_that_pays(Timed(alone=0.001, batch=0.1), shape, 10_000) == 1


@pytest.mark.parametrize(("shape", "frames"), [((480, 640, 3), 9999), ((480, 640, 3), None), ((2000, 2000, 3), 99999)])
def test_no_trial_is_run_where_it_would_not_pay_off(shape: tuple[int, ...], frames: int | None) -> None:
    model = Batching()
    assert batch_that_pays(model, shape, frames) == 1
    assert model.batches == []


def test_batches_of_large_frames_are_smaller() -> None:
    assert batch_that_pays(Timed(alone=0.01, batch=0.01), (1024, 1280, 3), 10_000) == 1
    assert batch_that_pays(Timed(alone=0.01, batch=0.01), (600, 1280, 3), 10_000) == 3
