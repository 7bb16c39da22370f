"""Sessions with components that have known results, and with components that fail."""

import threading
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from dlclive_core import (
    Crop,
    DataError,
    EndOfStream,
    FollowingCrop,
    Frame,
    FrameSource,
    ModelError,
    PluginError,
    Pose,
    Processor,
    RunInfo,
    Session,
    Sink,
    SourceError,
    UsageError,
)
from dlclive_core.models.outputs import check_size
from dlclive_core.plugins.builtin.memory import MemorySink
from dlclive_core.testing import (
    BlobModel,
    BlobSource,
    FailingModel,
    FailingProcessor,
    FailingSink,
    FailingSource,
    LiveBlobSource,
)


def test_every_frame_of_a_recording_gets_its_true_pose() -> None:
    source, sink = BlobSource(frames=40, visible=0.8), MemorySink()
    report = Session(source=source, model=BlobModel(), sinks=[sink]).run()
    assert sink.indices == list(range(40))
    for index, pose in zip(sink.indices, sink.poses, strict=True):
        truth = source.truth(index)
        assert (np.isnan(pose.single()[:, 0]) == np.isnan(truth[:, 0])).all()
        assert np.nan_to_num(np.abs(pose.single() - truth)).max() < 0.5
    assert (report.frames_read, report.processed, report.dropped) == (40, 40, 0)
    assert report.ending == "end of source"
    assert report.complete
    assert sink.finished


def test_max_frames_is_a_complete_run() -> None:
    sink = MemorySink()
    report = Session(source=BlobSource(frames=40), model=BlobModel(), sinks=[sink], max_frames=7).run()
    assert sink.indices == list(range(7))
    assert report.ending == "frame limit"
    assert report.complete
    assert report.frames_read == 7


def test_processors_run_in_order_and_see_the_frame() -> None:
    class Shift(Processor):
        def __init__(self, step: float, factor: float) -> None:
            self.step, self.factor, self.indices = step, factor, []

        def process(self, pose: Pose, frame: Frame) -> Pose:
            self.indices.append(frame.index)
            keypoints = pose.keypoints.copy()
            keypoints[..., :2] = keypoints[..., :2] * self.factor + self.step
            return Pose(keypoints, pose.skeleton)

    first, second, sink = Shift(1, 1), Shift(0, 2), MemorySink()
    source = BlobSource(frames=3)
    Session(source=source, model=BlobModel(), processors=[first, second], sinks=[sink]).run()
    assert first.indices == second.indices == [0, 1, 2]
    np.testing.assert_allclose(sink.poses[0].single()[:, :2], (source.truth(0)[:, :2] + 1) * 2, atol=1)


def test_a_deeplabcut_live_processor_is_accepted() -> None:
    class Old:
        calls: list = []  # noqa: RUF012

        def process(self, pose, **kwargs):
            self.calls.append((pose.shape, sorted(kwargs), abs(time.time() - kwargs["frame_time"]) < 5))
            pose[:, 0] += 100
            return pose

    source, sink, old = BlobSource(frames=2), MemorySink(), Old()
    Session(source=source, model=BlobModel(), processors=[old], sinks=[sink]).run()
    assert old.calls == [((3, 3), ["frame_time", "pose_time", "record"], True)] * 2
    np.testing.assert_allclose(sink.poses[0].single()[:, 0], source.truth(0)[:, 0] + 100, atol=0.5)


def test_an_object_that_is_not_a_processor_is_rejected() -> None:
    with pytest.raises(UsageError, match="int is not a processor"):
        Session(source=BlobSource(), model=BlobModel(), processors=[3])


def test_a_failing_source_ends_the_session_after_its_last_good_frame() -> None:
    source, sink = FailingSource(at=5), MemorySink()
    session = Session(source=source, model=BlobModel(), sinks=[sink])
    with pytest.raises(SourceError, match="the cable was pulled"):
        session.run()
    assert sink.indices == [0, 1, 2, 3, 4]
    assert not sink.finished
    assert source.closed == 1
    assert session.report is not None
    assert (session.report.ending, session.report.processed) == ("error", 5)


def test_a_source_that_cannot_be_opened_is_closed_and_ends_the_run() -> None:
    class Absent(BlobSource):
        closed = 0

        def open(self) -> None:
            raise SourceError("no camera 0")

        def close(self) -> None:
            self.closed += 1

    source, processor, sink = Absent(), FailingProcessor(), FailingSink()
    with pytest.raises(SourceError, match="no camera 0"):
        Session(source=source, model=BlobModel(), processors=[processor], sinks=[sink]).run()
    assert source.closed == 1
    assert processor.closed == 1


def test_a_failing_model_stops_the_session_and_closes_everything() -> None:
    processor, sink = FailingProcessor(at=99), FailingSink(at=99)
    with pytest.raises(ModelError, match="the model failed at frame 4: RuntimeError: the GPU fell off the bus"):
        Session(source=BlobSource(), model=FailingModel(at=6), processors=[processor], sinks=[sink]).run()
    assert processor.closed == 1
    assert (sink.closed, sink.finished) == (1, 0)
    assert sink.written == [0, 1, 2, 3]  # two of the six predictions were the warm-up


def test_a_failing_processor_stops_the_session_and_the_error_names_the_frame() -> None:
    processors = [FailingProcessor(at=4), FailingProcessor(at=99)]
    sink = FailingSink(at=99)
    with pytest.raises(PluginError, match="FailingProcessor failed at frame 4: ValueError: no laser"):
        Session(source=BlobSource(), model=BlobModel(), processors=processors, sinks=[sink]).run()
    assert [processor.closed for processor in processors] == [1, 1]
    assert sink.written == [0, 1, 2, 3]


def test_a_failing_sink_is_detached_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = FailingSink(at=5), MemorySink()
    report = Session(source=BlobSource(frames=20), model=BlobModel(), sinks=[bad, good]).run()
    assert good.indices == list(range(20))
    result = report.sinks[0]
    assert result.error == "OSError: [Errno 28] No space left on device"
    assert (result.written, result.dropped, result.finished) == (5, 15, False)
    assert bad.closed == 1
    assert "detached" in caplog.text
    assert [event.kind for event in report.events] == ["detached"]


def test_a_session_ends_when_all_its_sinks_have_failed() -> None:
    report = Session(source=BlobSource(frames=5000), model=BlobModel(), sinks=[FailingSink(at=1)]).run()
    assert report.processed < 5000
    assert (report.ending, report.complete) == ("sinks failed", False)
    assert report.frames_read == report.processed + report.dropped


def test_a_sink_that_cannot_be_opened_stops_the_run_before_the_first_frame() -> None:
    class Full(FailingSink):
        def open(self, run: RunInfo) -> None:
            raise PermissionError(13, "Permission denied")

    source, earlier = FailingSource(at=99), FailingSink(at=99)
    session = Session(source=source, model=BlobModel(), sinks=[earlier, Full()])
    with pytest.raises(DataError, match="sink Full could not be opened: PermissionError"):
        session.run()
    assert earlier.closed == 1
    assert earlier.written == []
    assert session.report is not None
    assert session.report.frames_read == 0


def test_stop_ends_a_recording_as_incomplete() -> None:
    sink = MemorySink()
    session = Session(source=BlobSource(frames=100_000), model=BlobModel(), sinks=[sink])
    threading.Timer(0.2, session.stop).start()
    report = session.run()
    assert report.ending == "stopped"
    assert not report.complete
    assert not sink.finished
    assert 0 < report.processed < 100_000
    assert report.frames_read == report.processed + report.dropped


def test_a_live_source_is_never_blocked_and_every_frame_is_counted() -> None:
    source, sink = LiveBlobSource(frames=60, interval=0.005), MemorySink()
    report = Session(source=source, model=BlobModel(delay=0.02), sinks=[sink]).run()
    assert report.frames_read == 60
    assert report.dropped > 0
    assert report.processed == len(sink.indices) == 60 - report.dropped
    assert sink.indices == sorted(set(sink.indices))


def test_a_slow_sink_slows_a_recording_down_and_loses_nothing() -> None:
    class Slow(MemorySink):
        def write(self, estimate) -> None:
            time.sleep(0.005)
            super().write(estimate)

    sink = Slow()
    report = Session(source=BlobSource(frames=40), model=BlobModel(), sinks=[sink], queue_size=2).run()
    assert sink.indices == list(range(40))
    assert report.sinks[0].dropped == 0


def test_a_recording_is_read_only_a_few_frames_ahead() -> None:
    """So memory is bounded."""
    model, source = BlobModel(), BlobSource(frames=1000)
    ahead = []

    class ReadAhead(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            time.sleep(0.002)
            ahead.append(source._next - frame.index)
            return pose

    Session(source=source, model=model, processors=[ReadAhead()], max_frames=50, queue_size=4).run()
    assert max(ahead) <= 4 + 3


def test_regions_are_applied_and_undone() -> None:
    source, sink = BlobSource(frames=5), MemorySink()
    Session(source=source, model=BlobModel(), regions=[Crop(4, 156, 3, 117)], sinks=[sink]).run()
    assert len(sink.poses) == 5
    for index, pose in enumerate(sink.poses):
        assert np.abs(pose.single() - source.truth(index)).max() < 0.5


def test_the_window_follows_the_models_pose_not_the_processed_one() -> None:

    class Away(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            return Pose(pose.keypoints + np.float32(1000), pose.skeleton)

    window = FollowingCrop(margin=12)
    Session(source=BlobSource(frames=5), model=BlobModel(), regions=[window], processors=[Away()]).run()
    assert window.is_following
    assert window.cut(np.zeros((120, 160, 3), np.uint8))[0].shape != (120, 160, 3)


def test_the_report_can_be_written_as_json() -> None:
    import json

    report = Session(source=BlobSource(frames=5), model=BlobModel(), sinks=[MemorySink()]).run()
    values = json.loads(json.dumps(report.to_dict()))
    assert values["processed"] == 5
    stages = {stage["stage"]: stage for stage in values["stages"]}
    assert list(stages) == ["capture", "wait", "region", "inference", "processors", "sinks", "age", "latency"]
    assert stages["inference"]["count"] == 5
    assert stages["latency"]["p50_ms"] >= stages["inference"]["p50_ms"]


def test_an_estimate_carries_its_times_in_order() -> None:
    class Keep(Sink):
        def __init__(self) -> None:
            self.estimates: list = []

        def write(self, estimate) -> None:
            self.estimates.append(estimate)

    sink = Keep()
    Session(source=BlobSource(frames=4), model=BlobModel(delay=0.003), sinks=[sink]).run()
    assert len(sink.estimates) == 4
    for item in sink.estimates:
        assert item.frame.captured_at <= item.inference_began < item.inference_ended <= item.ready_at
        assert item.inference_ended - item.inference_began >= 0.003
        assert item.latency == item.ready_at - item.frame.captured_at


def test_threads_end_with_the_session() -> None:
    before = set(threading.enumerate())  # a slow thread of an earlier test may still end
    for _ in range(3):
        Session(source=BlobSource(frames=3), model=BlobModel(), sinks=[MemorySink(), MemorySink()]).run()
    assert set(threading.enumerate()) <= before


def test_a_source_without_frames_can_be_stopped() -> None:
    class Quiet(FrameSource):
        is_live = True

        def read(self, timeout: float) -> Frame:
            time.sleep(timeout)
            raise TimeoutError

    session = Session(source=Quiet(), model=BlobModel(), sinks=[MemorySink()])
    threading.Timer(0.2, session.stop).start()
    report = session.run()
    assert (report.ending, report.complete, report.processed) == ("stopped", True, 0)


def test_an_empty_recording_is_a_finished_run() -> None:
    class Empty(FrameSource):
        def read(self, timeout: float) -> Frame:
            raise EndOfStream

    sink = MemorySink()
    report = Session(source=Empty(), model=BlobModel(), sinks=[sink]).run()
    assert report.processed == 0
    assert sink.finished


class Jumping(BlobSource):
    """A disc that jumps to another position at frame 5."""

    def truth(self, index: int) -> np.ndarray:
        return super().truth(index if index < 5 else index + 30)


@pytest.mark.parametrize("at_once", [False, True])
def test_an_animal_that_leaves_its_window_is_found_in_the_same_or_the_next_frame(at_once: bool) -> None:
    source, sink = Jumping(frames=10, keypoints=1), MemorySink()
    regions = [FollowingCrop(0.5, 6, at_once=at_once)]
    report = Session(source=source, model=BlobModel(1), sinks=[sink], regions=regions).run()
    is_complete = [bool(pose.confidence.all()) for pose in sink.poses]
    assert report.processed == 10
    assert is_complete == [True] * 5 + [at_once] + [True] * 4
    if at_once:
        np.testing.assert_allclose(sink.poses[5].xy[0], source.truth(5)[:, :2], atol=0.5)


def test_every_possible_window_size_is_warmed_up() -> None:
    class Warm(BlobModel):
        def warmup(self, shape: tuple[int, ...]) -> None:
            shapes.append(shape)

    shapes: list[tuple[int, ...]] = []
    window = FollowingCrop(window=(64, 48), rotates=True)
    Session(source=BlobSource(frames=2), model=Warm(), regions=[window]).run()
    assert shapes == [(120, 160, 3), (48, 64, 3), (64, 48, 3)]


def test_a_stop_closes_processors_before_the_source() -> None:
    """The capture thread notices the stop while the loop still processes a frame; it must wait before it closes."""
    for _ in range(5):
        closed = []

        class Busy(Processor):
            def process(self, pose: Pose, frame: Frame) -> Pose:
                time.sleep(0.01)
                return pose

            def close(self) -> None:
                closed.append("processor")  # noqa: B023 - called within this iteration

        class Camera(LiveBlobSource):
            def close(self) -> None:
                closed.append("source")  # noqa: B023

        camera = Camera(frames=10**6, interval=0.001)
        session = Session(source=camera, model=BlobModel(), processors=[Busy()], sinks=[MemorySink()])
        threading.Timer(0.1, session.stop).start()
        session.run()
        assert closed == ["processor", "source"]


def test_a_window_around_one_keypoint_does_not_end_the_run() -> None:
    shapes = []

    class OneKeypoint(BlobModel):
        def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
            check_size(self.card, image.shape[:2])
            shapes.append(image.shape[:2])
            keypoints = np.full((1, len(self.card.skeleton), 3), np.nan, np.float32)
            keypoints[..., 2] = 0
            keypoints[0, 0] = (1, 1, 0.9)  # at the corner of whatever it is given
            return Pose(keypoints, self.card.skeleton)

    model = OneKeypoint()
    model.card = model.card.with_(stride=16.0)
    report = Session(source=BlobSource(frames=4), model=model, regions=[FollowingCrop(margin=2)]).run()
    assert report.processed == 4
    assert set(shapes) == {(120, 160), (16, 16)}
