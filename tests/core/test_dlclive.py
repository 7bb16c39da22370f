"""`DLCLive` with the interface of DeepLabCut-live, on a model with known results."""

import time
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import (
    DLCLive,
    Estimate,
    Frame,
    FrameError,
    ModelNotFoundError,
    OutputError,
    PluginCatalog,
    Pose,
    Processor,
    RunInfo,
    RuntimeInfo,
    UnsupportedModelError,
    UsageError,
)
from dlclive_core.plugins.builtin.memory import MemorySink
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.testing import BlobModel, BlobSource

OPENED: list[dict] = []


class BlobFile(BlobModel):
    """A runtime for the tests: loads any `.blob` file as a BlobModel."""

    def __init__(self, path: Path, *, device: str, precision: str) -> None:
        super().__init__()
        OPENED.append({"path": path, "device": device, "precision": precision})


@pytest.fixture
def catalog() -> PluginCatalog:
    info = RuntimeInfo(name="onnx", summary="", factory=f"{__name__}:BlobFile", reads=(".blob",))
    return PluginCatalog([Plugin(name="p", distribution="d", version="1", status="ready", components=(info,))])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "model.blob"
    file.touch()
    return file


@pytest.fixture
def source() -> BlobSource:
    return BlobSource(frames=20)


def bgr(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[:, :, ::-1])


def test_init_inference_and_get_pose_return_arrays(path: Path, catalog: PluginCatalog, source: BlobSource) -> None:
    with DLCLive(path, catalog=catalog) as live:
        assert not live.is_initialized
        first = live.init_inference(bgr(source.draw(0)))
        assert live.is_initialized
        assert first.shape == (3, 3)
        assert first.dtype == np.float32
        np.testing.assert_allclose(first, source.truth(0), atol=0.5)
        np.testing.assert_allclose(live.get_pose(bgr(source.draw(1))), source.truth(1), atol=0.5)
        assert live.pose is not None


def test_get_pose_works_without_init_inference(path: Path, catalog: PluginCatalog, source: BlobSource) -> None:
    with DLCLive(path, catalog=catalog) as live:
        np.testing.assert_allclose(live.get_pose(bgr(source.draw(0))), source.truth(0), atol=0.5)


def test_convert2rgb_sets_the_channel_order(path: Path, catalog: PluginCatalog, source: BlobSource) -> None:
    """The discs are yellow; in the wrong channel order they are cyan, and the model finds nothing."""
    with DLCLive(path, convert2rgb=False, catalog=catalog) as live:
        np.testing.assert_allclose(live.get_pose(source.draw(0)), source.truth(0), atol=0.5)
        assert np.isnan(live.get_pose(bgr(source.draw(0)))[:, 0]).any()


def test_single_animal_false_returns_all_animals(path: Path, catalog: PluginCatalog, source: BlobSource) -> None:
    with DLCLive(path, single_animal=False, catalog=catalog) as live:
        assert live.get_pose(bgr(source.draw(0))).shape == (1, 3, 3)


def test_cropping_dynamic_and_resize_can_be_combined(path: Path, catalog: PluginCatalog, source: BlobSource) -> None:
    with DLCLive(path, cropping=[10, 152, 4, 118], dynamic=(True, 0.5, 12), resize=1.5, catalog=catalog) as live:
        for index in range(20):
            np.testing.assert_allclose(live.get_pose(bgr(source.draw(index))), source.truth(index), atol=0.75)


def test_the_options_reach_the_runtime(path: Path, catalog: PluginCatalog, source: BlobSource) -> None:
    OPENED.clear()
    with DLCLive(path, model_type="ONNX", precision="FP16", device="cuda:1", catalog=catalog) as live:
        live.get_pose(bgr(source.draw(0)))
    assert [{"path": path, "device": "cuda:1", "precision": "fp16"}] == OPENED


def test_a_deeplabcut_live_processor_receives_arrays_and_keywords(
    path: Path, catalog: PluginCatalog, source: BlobSource
) -> None:
    class Old:
        def __init__(self) -> None:
            self.calls: list = []

        def process(self, pose, **kwargs):
            self.calls.append((pose.shape, kwargs))
            return pose + 1

        def save(self, file=""):
            return 0

    old = Old()
    with DLCLive(path, processor=old, catalog=catalog) as live:
        pose = live.init_inference(bgr(source.draw(0)), frame_time=1.5, record=True, trial=7)
        assert live.processor is old
        before = time.time()
        live.get_pose(bgr(source.draw(1)))
        after = time.time()
    (shape, keywords), (_, defaults) = old.calls
    assert shape == (3, 3)
    assert keywords.pop("pose_time") <= before
    assert keywords == {"frame_time": 1.5, "record": True, "trial": 7}  # the caller's own win
    assert before - 0.01 <= defaults["frame_time"] <= defaults["pose_time"] <= after + 0.01
    assert defaults["record"] is False
    np.testing.assert_allclose(pose, source.truth(0) + 1, atol=0.5)


def test_a_processor_that_returns_none_leaves_the_pose_unchanged(
    path: Path, catalog: PluginCatalog, source: BlobSource
) -> None:
    class Silent:
        def process(self, pose, **kwargs):
            pose[:] = 0  # a copy

    with DLCLive(path, processor=Silent(), dynamic=(True, 0.5, 12), catalog=catalog) as live:
        for index in range(3):
            np.testing.assert_allclose(live.get_pose(bgr(source.draw(index))), source.truth(index), atol=0.5)


def test_a_processor_is_opened_used_and_closed(path: Path, catalog: PluginCatalog, source: BlobSource) -> None:
    class Recorder(Processor):
        def __init__(self) -> None:
            self.log: list = []

        def open(self, run) -> None:
            self.log.append(("open", run.card.net_type, run.frame_size))

        def process(self, pose: Pose, frame: Frame) -> Pose:
            self.log.append(frame.index)
            return pose

        def close(self) -> None:
            self.log.append("close")

    recorder = Recorder()
    with DLCLive(path, processor=recorder, catalog=catalog) as live:
        live.init_inference(bgr(source.draw(0)))
        live.get_pose(bgr(source.draw(1)))
    assert recorder.log == [("open", "blobs", (160, 120)), 0, 1, "close"]


def test_a_sink_as_display_receives_rgb_frames(path: Path, catalog: PluginCatalog, source: BlobSource) -> None:
    class Screen(MemorySink):
        def write(self, estimate) -> None:
            super().write(estimate)
            self.image = estimate.frame.image

    screen = Screen()
    with DLCLive(path, display=screen, catalog=catalog) as live:
        live.get_pose(bgr(source.draw(0)))
    np.testing.assert_array_equal(screen.image, source.draw(0))


class Unplugged(MemorySink):
    """A screen that fails at the third frame; closing it fails, too."""

    closings = 0

    def write(self, estimate: Estimate) -> None:
        super().write(estimate)
        if len(self.poses) == 3:
            raise OSError("the screen is gone")

    def close(self) -> None:
        self.closings += 1
        raise RuntimeError("no display")


def test_poses_continue_after_the_display_has_failed(
    path: Path, catalog: PluginCatalog, source: BlobSource, caplog: pytest.LogCaptureFixture
) -> None:
    screen = Unplugged()
    with DLCLive(path, display=screen, catalog=catalog) as live:
        for index in range(6):
            assert np.abs(live.get_pose(bgr(source.draw(index))) - source.truth(index)).max() < 0.5
    assert (len(screen.poses), screen.closings) == (3, 1)
    assert [record.message for record in caplog.records] == [
        "the display failed and is closed; poses continue: OSError: the screen is gone",
        "the display could not be closed: RuntimeError: no display",
    ]


def test_a_display_that_cannot_be_opened_is_closed_and_raises(path: Path, catalog: PluginCatalog) -> None:
    class NoScreen(MemorySink):
        closed = False

        def open(self, run: RunInfo) -> None:
            raise UsageError("there is no screen")

        def close(self) -> None:
            self.closed = True

    screen = NoScreen()
    live = DLCLive(path, display=screen, catalog=catalog)
    for _ in range(2):
        with pytest.raises(UsageError, match="no screen"):
            live.get_pose(np.zeros((120, 160, 3), np.uint8))
    assert screen.closed


def test_close_without_a_frame_and_twice(path: Path, catalog: PluginCatalog) -> None:
    live = DLCLive(path, display=True, catalog=catalog)
    live.close()
    live.close()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model_type": "tensorflow"}, UnsupportedModelError, "TensorFlow models are not supported"),
        ({"model_type": "pytorhc"}, UsageError, "did you mean 'pytorch'"),
        ({"cropping": [0, 10]}, UsageError, "four numbers"),
        ({"cropping": [10, 0, 0, 10]}, UsageError, "x1 < x2"),
        ({"dynamic": (True, 5, 10)}, UsageError, "confidence from 0 to 1"),
        ({"dynamic": (True, 0.5)}, UsageError, "state, threshold, margin"),
        ({"resize": 0}, UsageError, "factor above 0"),
        ({"dynamic": True}, UsageError, r"state, threshold, margin\), such as \(True, 0.5, 10\); got True$"),
        ({"dynamic": (True, "a", 10)}, UsageError, "confidence from 0 to 1; got 'a'"),
        ({"dynamic": (True, 0.5, None)}, UsageError, "margin must be 0 pixels or more; got None"),
        ({"cropping": 5}, UsageError, "four numbers x1, x2, y1, y2; got 5$"),
        ({"cropping": [0, "b", 0, 4]}, UsageError, "whole pixels"),
        ({"cropping": "abcd"}, UsageError, "four numbers"),
        ({"resize": "half"}, UsageError, "factor above 0.*got 'half'"),
        ({"top_down_config": True}, UsageError, "top_down_config takes a dict with any of bbox_cutoff"),
        ({"top_down_config": {"bbox_cutoff": "x"}}, UsageError, "bbox_cutoff is 'x'; give a number"),
        ({"top_down_config": {"skip_frames": 3}}, UsageError, "skip_frames takes a dict"),
        ({"top_down_config": {"skip_frames": {"skip": "x"}}}, UsageError, "skip is 'x'"),
        ({"top_down_dynamic": [1]}, UsageError, "top_down_dynamic takes a dict"),
        ({"processor": 3}, UsageError, "int is not a processor"),
    ],
)
def test_bad_options_are_rejected_by_the_constructor(path: Path, options: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        DLCLive(path, **options)


def test_a_good_frame_is_processed_after_bad_ones_were_rejected(
    path: Path, catalog: PluginCatalog, source: BlobSource
) -> None:
    with DLCLive(path, catalog=catalog) as live:
        for bad in (None, source.draw(0).astype(float), source.draw(0)[:, :, :2]):
            with pytest.raises(FrameError):
                live.get_pose(bad)
        assert live.get_pose(bgr(source.draw(0))).shape == (3, 3)


def test_a_missing_model_file_is_an_error(tmp_path: Path, catalog: PluginCatalog, source: BlobSource) -> None:
    with pytest.raises(ModelNotFoundError, match="no such file"):
        DLCLive(tmp_path / "gone.pt", catalog=catalog).get_pose(source.draw(0))


def test_nothing_changes_an_array_that_someone_else_holds(
    path: Path, catalog: PluginCatalog, source: BlobSource
) -> None:
    """A processor does not write into the caller's image, and the caller's pose is the caller's."""
    seen: list[Pose] = []

    class Look(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            with pytest.raises(ValueError, match="read-only"):
                frame.image[:] = 0
            seen.append(pose)
            return pose

    with DLCLive(path, catalog=catalog, processor=Look()) as live:
        image = bgr(source.read(1.0).image)
        pose = live.get_pose(image)
        before = seen[0].keypoints.copy()
        pose[:] = -1
        image[:] = 0
    np.testing.assert_array_equal(seen[0].keypoints, before)


class Jammed(Processor):
    """A device that is opened once, and cannot be switched off."""

    def __init__(self) -> None:
        self.opened = 0

    def open(self, run: RunInfo) -> None:
        self.opened += 1

    def process(self, pose: Pose, frame: Frame) -> Pose:
        return pose

    def close(self) -> None:
        raise OutputError("it is still on")


def test_a_processor_that_cannot_be_closed_keeps_nothing_else_open(
    path: Path, catalog: PluginCatalog, source: BlobSource
) -> None:
    window = Unplugged()
    live = DLCLive(path, processor=Jammed(), display=window, catalog=catalog)
    live.init_inference(bgr(source.draw(0)))
    with pytest.raises(OutputError, match="still on"):
        live.close()
    assert not live.is_initialized
    assert live._window is None


def test_a_processor_is_opened_once_though_the_first_frame_was_too_small(
    path: Path, catalog: PluginCatalog, source: BlobSource
) -> None:
    """A port that is open cannot be opened again."""
    processor = Jammed()
    live = DLCLive(path, processor=processor, cropping=[0, 160, 0, 120], catalog=catalog)
    with pytest.raises(UsageError, match="outside the frame"):
        live.get_pose(bgr(source.draw(0))[:100])
    live.get_pose(bgr(source.draw(0)))
    live.get_pose(bgr(source.draw(1)))
    assert processor.opened == 1
