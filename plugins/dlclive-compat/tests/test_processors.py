"""The processor is given every pose once, in each of the three ways that callers go."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive import DLCLive, Processor
from dlclive.processor import KalmanFilterPredictor
from dlclive_processors import ProcessorFromFile
from numpy.typing import NDArray

import dlclive_core
from dlclive_core import RunInfo, UsageError
from dlclive_core.testing import BlobSource

from .conftest import bgr

Frame = NDArray[np.uint8]


class Recorder(Processor):
    """Remembers what it was given, and moves the pose by one pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.poses: list[Any] = []
        self.keywords: list[dict[str, Any]] = []

    def process(self, pose: Any, **kwargs: Any) -> Any:
        self.poses.append(pose.copy())
        self.keywords.append(kwargs)
        return pose + 1


def by_get_pose(live: DLCLive, frame: Frame, frame_time: float) -> Any:
    return live.get_pose(frame, frame_time=frame_time)


def by_runner(live: DLCLive, frame: Frame, frame_time: float) -> Any:
    """As DeepLabCut-live GUI 2.0.0."""
    processed = live.process_frame(frame)
    live.pose = live.runner.get_pose(processed)
    return live.pose


def by_post_processing(live: DLCLive, frame: Frame, frame_time: float) -> Any:
    """As the GUI's branches before and after it."""
    processed = live.process_frame(frame)
    live.pose = live.runner.get_pose(processed)
    return live._post_process_pose(processed, frame_time=frame_time)


WAYS = [by_get_pose, by_runner, by_post_processing]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "options", [{}, {"cropping": [4, 156, 2, 120], "resize": 0.5, "dynamic": [True, 0.5, 16]}], ids=["whole", "regions"]
)
def test_every_pose_once_and_in_pixels_of_the_frame(
    blobs: Path, source: BlobSource, way: Callable[..., Any], options: dict[str, Any]
) -> None:
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder, **options)
    for index in range(8):
        pose = way(live, bgr(source.draw(index)), 1000.0 + index)
        np.testing.assert_allclose(pose, source.truth(index) + 1, atol=1.0)
        assert live.pose is pose
        assert len(recorder.poses) == index + 1
        np.testing.assert_allclose(recorder.poses[-1], source.truth(index), atol=1.0)


@pytest.mark.parametrize("way", WAYS)
def test_the_first_frame_that_init_inference_had(blobs: Path, source: BlobSource, way: Callable[..., Any]) -> None:
    """The GUI runs it twice. With `get_pose`, the caller asks for a pose, and the processor gets it, as in deeplabcut-live."""
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder)
    frame = bgr(source.draw(0))
    first = live.init_inference(frame)
    assert len(recorder.poses) == 1
    again = way(live, frame, 1000.0)
    np.testing.assert_array_equal(again, first)
    assert len(recorder.poses) == (2 if way is by_get_pose else 1)
    way(live, bgr(source.draw(1)), 1001.0)
    way(live, frame, 1002.0)  # not the next one any more
    assert len(recorder.poses) == (4 if way is by_get_pose else 3)
    if way is by_post_processing:
        assert [keywords["frame_time"] for keywords in recorder.keywords[1:]] == [1001.0, 1002.0]


def test_a_buffer_that_is_used_again_holds_another_frame(blobs: Path, source: BlobSource) -> None:
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder)
    buffer = bgr(source.draw(0))
    live.init_inference(buffer)
    buffer[:] = bgr(source.draw(1))
    by_runner(live, buffer, 0.0)
    assert len(recorder.poses) == 2
    np.testing.assert_allclose(recorder.poses[1], source.truth(1), atol=0.5)


def test_whether_post_processing_follows_is_learnt_again(blobs: Path, source: BlobSource) -> None:
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder)
    by_post_processing(live, bgr(source.draw(0)), 1.0)
    by_runner(live, bgr(source.draw(1)), 2.0)  # this one is lost to the processor: nothing followed
    assert len(recorder.poses) == 1
    by_runner(live, bgr(source.draw(2)), 3.0)
    assert len(recorder.poses) == 2
    by_post_processing(live, bgr(source.draw(3)), 4.0)
    by_post_processing(live, bgr(source.draw(4)), 5.0)
    assert len(recorder.poses) == 4
    assert recorder.keywords[-1]["frame_time"] == 5.0


def test_an_image_of_the_callers_own_is_none_of_a_frame(blobs: Path, source: BlobSource) -> None:
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder, cropping=[10, 150, 4, 118])
    live.process_frame(bgr(source.draw(0)))
    pose = live.runner.get_pose(source.draw(0))
    np.testing.assert_allclose(pose, source.truth(0), atol=0.5)
    assert recorder.poses == []


def test_the_keywords(blobs: Path, source: BlobSource) -> None:
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder)
    before = time.time()
    by_runner(live, bgr(source.draw(0)), 0.0)
    live.get_pose(bgr(source.draw(1)), frame_time=3.0, record=True, trial=7)
    first, second = recorder.keywords
    assert before - 0.01 <= first["frame_time"] <= first["pose_time"] <= time.time() + 0.01
    assert first["record"] is False
    assert second.pop("pose_time") >= first["pose_time"]
    assert second == {"frame_time": 3.0, "record": True, "trial": 7}


def test_a_process_with_keywords_of_its_own_gets_only_these(blobs: Path, source: BlobSource) -> None:
    class Plain:
        def process(self, pose: Any) -> Any:
            return pose

    class Timed:
        def process(self, pose: Any, frame_time: float) -> Any:
            self.frame_time = frame_time
            return pose

    DLCLive(blobs, "pytorch", processor=Plain()).get_pose(bgr(source.draw(0)))
    timed = Timed()
    DLCLive(blobs, "pytorch", processor=timed).get_pose(bgr(source.draw(0)), frame_time=5.0)
    assert timed.frame_time == 5.0


@pytest.mark.parametrize("way", WAYS)
def test_none_and_changes_in_place_leave_the_pose(blobs: Path, source: BlobSource, way: Callable[..., Any]) -> None:
    class Silent:
        def process(self, pose: Any, **kwargs: Any) -> None:
            pose[:] = 0

    live = DLCLive(blobs, "pytorch", processor=Silent(), dynamic=(True, 0.5, 12))
    for index in range(4):
        np.testing.assert_allclose(way(live, bgr(source.draw(index)), 0.0), source.truth(index), atol=0.5)


def test_a_replaced_process_is_called(blobs: Path, source: BlobSource) -> None:
    """The GUI replaces it for every frame, to measure its time, and puts the original back."""
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder)
    original, called = recorder.process, []
    recorder.process = lambda pose, **kwargs: called.append(kwargs) or original(pose, **kwargs)  # type: ignore[method-assign]
    by_runner(live, bgr(source.draw(0)), 0.0)
    recorder.process = original  # type: ignore[method-assign]
    by_runner(live, bgr(source.draw(1)), 0.0)
    assert (len(called), len(recorder.poses)) == (1, 2)


def test_the_names_of_the_keypoints_come_before_the_first_pose(blobs: Path, source: BlobSource) -> None:
    class Named(Recorder):
        def set_dlc_cfg(self, cfg: dict[str, Any]) -> None:
            assert self.poses == []
            self.names = cfg["metadata"]["bodyparts"]

    named = Named()
    live = DLCLive(blobs, "pytorch", processor=named)
    assert live.cfg is None
    live.init_inference(bgr(source.draw(0)))
    assert live.cfg is not None
    assert named.names == live.cfg["metadata"]["bodyparts"] == live.read_config()["metadata"]["bodyparts"]
    assert len(named.names) == 3


def test_a_processor_of_ours_with_a_device_is_opened_and_closed(blobs: Path, source: BlobSource) -> None:
    log: list[Any] = []

    class Valve(dlclive_core.Processor):
        def open(self, run: RunInfo) -> None:
            log.append(("open", run.frame_size))

        def process(self, pose: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            log.append("process")
            return pose

        def close(self) -> None:
            log.append("close")

    live = DLCLive(blobs, "pytorch", processor=Valve())
    live.get_pose(bgr(source.draw(0)))
    live.close()
    assert log == [("open", (160, 120)), "process", "close"]


def test_a_typed_processor_is_refused_in_one_line(blobs: Path) -> None:
    class Typed(dlclive_core.Processor):
        def process(self, pose: Any, frame: Any) -> Any:
            return pose

    with pytest.raises(UsageError, match=r"^Typed takes \(pose, frame\), which is for dlclive_core.DLCLive"):
        DLCLive(blobs, "pytorch", processor=Typed())
    with pytest.raises(UsageError, match="int is not a processor"):
        DLCLive(blobs, "pytorch", processor=3)


def test_a_processor_may_be_replaced(blobs: Path, source: BlobSource) -> None:
    first, second = Recorder(), Recorder()
    live = DLCLive(blobs, "pytorch", processor=first)
    live.get_pose(bgr(source.draw(0)))
    live.processor = second
    live.get_pose(bgr(source.draw(1)))
    live.processor = None
    live.get_pose(bgr(source.draw(2)))
    assert (len(first.poses), len(second.poses)) == (1, 1)


def test_subclasses_may_change_what_the_network_sees(blobs: Path, source: BlobSource) -> None:
    class Brighter(DLCLive):
        def process_frame(self, frame: Frame) -> Frame:
            return np.maximum(super().process_frame(frame), 10)

    recorder = Recorder()
    live = Brighter(blobs, "pytorch", processor=recorder, cropping=[4, 156, 2, 118])
    np.testing.assert_allclose(live.get_pose(bgr(source.draw(0))), source.truth(0) + 1, atol=0.5)
    assert len(recorder.poses) == 1


def test_a_dropped_object_gives_its_memory_back(blobs: Path, source: BlobSource) -> None:
    """Without a garbage collection: the GUI drops it, and never calls close()."""
    live = DLCLive(blobs, "pytorch", processor=Recorder())
    live.init_inference(bgr(source.draw(0)))
    model = weakref.ref(live.runner.model)
    gc.disable()
    try:
        del live
        assert model() is None
    finally:
        gc.enable()


def test_kalman_filter_and_base_class_are_those_of_processor_files(
    blobs: Path, source: BlobSource, tmp_path: Path
) -> None:
    assert issubclass(KalmanFilterPredictor, Processor)
    assert Processor().save() == Processor().save(file="x") == 0
    live = DLCLive(blobs, "pytorch", processor=KalmanFilterPredictor(forward=0.0))
    for index in range(4):
        pose = live.get_pose(bgr(source.draw(index)))
    assert pose.shape == (3, 3)
    assert np.isfinite(pose).all()

    file = tmp_path / "mine.py"
    file.write_text(
        "from dlclive import DLCLive, Processor\n"
        "from dlclive.processor import KalmanFilterPredictor\n"
        "from dlclive.processor.kalmanfilter import KalmanFilterPredictor as Same\n"
        "assert KalmanFilterPredictor is Same\n"
        "class Mine(Processor):\n    live = DLCLive\n    def process(self, pose, **kwargs): return pose\n"
    )
    mine = ProcessorFromFile(str(file))._loaded.cls
    assert issubclass(mine, Processor)
    assert mine.live is DLCLive  # the installed package, not the stand-in of dlclive-processors


REGIONS = {"cropping": [4, 156, 2, 120], "resize": 0.5}


@pytest.mark.parametrize("starts", [False, True], ids=["", "after init_inference"])
@pytest.mark.parametrize("calls_post", [False, True], ids=["runner", "post"])
def test_a_copy_of_the_pose_is_the_pose(blobs: Path, source: BlobSource, calls_post: bool, starts: bool) -> None:
    """Programs make an array of another type of it before they set it: it is in pixels of the frame already."""
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder, **REGIONS)
    if starts:
        live.init_inference(bgr(source.draw(0)).copy())
    for index in range(4):
        processed = live.process_frame(bgr(source.draw(index)))
        live.pose = np.array(live.runner.get_pose(processed), np.float64)
        pose = live._post_process_pose(processed, frame_time=1.0) if calls_post else live.pose
        np.testing.assert_allclose(pose, source.truth(index) + 1, atol=1.0)
    assert len(recorder.poses) == 4 + starts


def test_a_copy_of_the_pose_of_the_frame_that_init_inference_had(blobs: Path, source: BlobSource) -> None:
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder, **REGIONS)
    frame = bgr(source.draw(0))
    live.init_inference(frame)
    processed = live.process_frame(frame)
    live.pose = live.runner.get_pose(processed).copy()
    np.testing.assert_allclose(live._post_process_pose(processed), source.truth(0) + 1, atol=1.0)
    assert len(recorder.poses) == 1


def test_an_image_that_was_made_of_the_processed_one_is_mapped_to_the_frame(blobs: Path, source: BlobSource) -> None:
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder, **REGIONS)
    for index in range(3):
        changed = np.maximum(live.process_frame(bgr(source.draw(index))), 10)
        live.pose = live.runner.get_pose(changed)
        pose = live._post_process_pose(changed, frame_time=1.0)
        np.testing.assert_allclose(pose, source.truth(index) + 1, atol=1.0)
        assert len(recorder.poses) == index + 1


def test_a_frame_that_is_not_inferred_tells_nothing_about_the_callers_way(blobs: Path, source: BlobSource) -> None:
    recorder = Recorder()
    live = DLCLive(blobs, "pytorch", processor=recorder)
    for index in range(4):
        live.process_frame(bgr(source.draw(index)))  # dropped
        by_post_processing(live, bgr(source.draw(index)), float(index))
    assert [keywords["frame_time"] for keywords in recorder.keywords[1:]] == [1.0, 2.0, 3.0]
    assert len(recorder.poses) == 4


def test_a_subclass_may_cut_frames_itself(blobs: Path, source: BlobSource) -> None:
    """As deeplabcut-live, which maps the pose back by `cropping` whoever has cut."""

    class Own(DLCLive):
        def process_frame(self, frame: Frame) -> Frame:
            x1, x2, y1, y2 = self.cropping or (0, frame.shape[1], 0, frame.shape[0])
            return bgr(frame[y1:y2, x1:x2])

    for cropping in (None, [4, 156, 2, 118]):
        recorder = Recorder()
        live = Own(blobs, "pytorch", processor=recorder, cropping=cropping)
        for index in range(3):
            np.testing.assert_allclose(live.get_pose(bgr(source.draw(index))), source.truth(index) + 1, atol=0.5)
        assert len(recorder.poses) == 3
