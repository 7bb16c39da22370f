"""Poses: those of dlclive_core, as finite arrays, in pixels of the frame, whatever part of it the network sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive import DLCLive, regions
from dlclive.exceptions import DLCLiveError
from numpy.typing import NDArray

import dlclive_core
from dlclive_core import FrameError, Pose, UsageError
from dlclive_core.demo import MODEL
from dlclive_core.demo.source import MouseSource
from dlclive_core.testing import BlobSource

from .conftest import bgr

Frame = NDArray[np.uint8]

OPTIONS: dict[str, dict[str, Any]] = {
    "whole": {},
    "crop": {"cropping": [10, 310, 5, 235]},
    "resize": {"resize": 0.5},
    "crop and resize": {"cropping": [10, 310, 5, 235], "resize": 0.75},
    "all": {"single_animal": False},
}


def same_as_the_core(path: Path, model_type: str, frames: list[Frame], options: dict[str, Any]) -> None:
    ours = DLCLive(path, model_type, **options)
    with dlclive_core.DLCLive(path, **options) as core:
        ours.init_inference(frames[0])
        for frame in frames:
            expected = np.nan_to_num(core.get_pose(frame))
            np.testing.assert_allclose(ours.get_pose(frame), expected, atol=1e-4)
            processed = ours.process_frame(frame)
            np.testing.assert_allclose(ours.runner.get_pose(processed), expected, atol=1e-4)
    ours.close()


@pytest.mark.parametrize("name", OPTIONS)
def test_an_onnx_file(name: str) -> None:
    pytest.importorskip("dlclive_onnx")
    frames = demo_frames(4)
    same_as_the_core(MODEL, "onnx", frames, OPTIONS[name])


def demo_frames(count: int) -> list[Frame]:
    source = MouseSource()
    source.open()
    frames = [bgr(source.read(1.0).image) for _ in range(count)]
    source.close()
    return frames


@pytest.mark.slow
@pytest.mark.parametrize("name", ["whole", "crop and resize"])
def test_a_file_of_deeplabcut(openfield: Path, openfield_frames: list[Frame], name: str) -> None:
    same_as_the_core(openfield, "pytorch", openfield_frames[:2], OPTIONS[name])


@pytest.mark.parametrize("model_type", ["base", "pytorch", "PyTorch", "onnx"])
def test_the_path_says_how_an_onnx_file_is_run(model_type: str) -> None:
    pytest.importorskip("dlclive_onnx")
    live = DLCLive(str(MODEL), model_type)
    assert live.init_inference(demo_frames(1)[0])[:, 2].min() > 0.5
    assert live.runner.model.runtime == "onnx"


def test_grey_frames_and_the_order_of_channels(blobs: Path, source: BlobSource) -> None:
    """The discs are yellow; in the wrong order of channels they are cyan, and the model finds nothing."""
    image = source.draw(0)
    np.testing.assert_allclose(DLCLive(blobs, "pytorch").get_pose(bgr(image)), source.truth(0), atol=0.5)
    rgb = DLCLive(blobs, "pytorch", convert2rgb=False)
    np.testing.assert_allclose(rgb.init_inference(image), source.truth(0), atol=0.5)
    np.testing.assert_allclose(rgb.get_pose(image), source.truth(0), atol=0.5)
    grey = DLCLive(blobs, "pytorch")
    assert grey.process_frame(image[:, :, 0]).shape == image.shape
    assert DLCLive(blobs, "pytorch", convert2rgb=False).process_frame(image[:, :, 0]).shape == image.shape[:2]


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("options", [{}, {"cropping": [20, 150, 10, 110], "resize": 0.5}])
def test_what_was_not_found_is_zero_and_stays_there(blobs: Path, single: bool, options: dict[str, Any]) -> None:
    live = DLCLive(blobs, "pytorch", single_animal=single, **options)
    pose = live.get_pose(np.zeros((120, 160, 3), np.uint8))
    np.testing.assert_array_equal(pose, np.zeros((3, 3) if single else (1, 3, 3)))


def test_no_animal_at_all_is_one_of_zeros(blobs: Path, source: BlobSource) -> None:
    live = DLCLive(blobs, "pytorch", single_animal=False)
    live.init_inference(bgr(source.draw(0)))
    model = live.runner.model
    model.predict = lambda image: Pose.missing(model.card.skeleton, 0)
    np.testing.assert_array_equal(live.get_pose(bgr(source.draw(0))), np.zeros((1, 3, 3)))


def test_the_best_of_several_animals(blobs: Path, source: BlobSource) -> None:
    keypoints = np.ones((2, 3, 3), np.float32)
    keypoints[:, :, 2] = [[0.2], [0.9]]
    keypoints[1, :, 0] = 7

    def two(live: DLCLive) -> Any:
        live.runner.load_model()
        model = live.runner.model
        model.predict = lambda image: Pose(keypoints, model.card.skeleton)
        return live.get_pose(bgr(source.draw(0)))

    np.testing.assert_array_equal(two(DLCLive(blobs, "pytorch")), keypoints[1])
    np.testing.assert_array_equal(two(DLCLive(blobs, "pytorch", single_animal=False)), keypoints)


def test_the_caller_may_write_into_a_pose(blobs: Path, source: BlobSource) -> None:
    live = DLCLive(blobs, "pytorch", dynamic=(True, 0.5, 12))
    live.init_inference(bgr(source.draw(0)))[:] = 0
    np.testing.assert_allclose(live.get_pose(bgr(source.draw(1))), source.truth(1), atol=0.5)
    assert live.dynamic_cropping is not None


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (None, "No frame provided"),
        (np.zeros((4, 4, 3)), "pass uint8"),
        (np.zeros((4, 4, 4), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "empty"),
        ([[1]], "numpy array"),
    ],
)
def test_what_is_no_frame_is_one_line(blobs: Path, frame: Any, message: str) -> None:
    live = DLCLive(blobs, "pytorch")
    for call in (live.init_inference, live.get_pose):
        with pytest.raises(DLCLiveError, match=message) as raised:
            call(frame)
        assert isinstance(raised.value, FrameError)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cropping": [0, 10, 5]}, "cropping takes four numbers"),
        ({"cropping": [20, 10, 0, 5]}, "x1 < x2"),
        ({"cropping": [500, 600, 0, 5]}, "x1 < x2"),
        ({"dynamic": (True, 0.5)}, "dynamic takes"),
        ({"dynamic": (True, 1.5, 10)}, "threshold"),
        ({"resize": 0.001}, "leaves nothing"),
    ],
)
def test_options_that_do_not_fit_are_one_line(
    blobs: Path, source: BlobSource, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        DLCLive(blobs, "pytorch", **options).get_pose(bgr(source.draw(0)))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("dynamic", True, "dynamic takes"), ("cropping", [0, 10, 5], "four numbers"), ("resize", 0, "above 0")],
)
def test_options_that_a_script_changes_are_checked_then_and_not_for_every_frame(
    blobs: Path, source: BlobSource, monkeypatch: pytest.MonkeyPatch, name: str, value: Any, message: str
) -> None:
    checks = []
    check = regions.regions_from_deeplabcut_live

    def counted(*options: Any) -> Any:
        checks.append(options)
        return check(*options)

    live = DLCLive(blobs, "pytorch", cropping=[0, 160, 0, 120])
    monkeypatch.setattr(regions, "regions_from_deeplabcut_live", counted)
    for index in range(3):
        live.get_pose(bgr(source.draw(index)))
    assert len(checks) == 1
    live.cropping[0] = 4  # in place, as scripts do it
    whole = live.get_pose(bgr(source.draw(0)))
    assert len(checks) == 2
    np.testing.assert_allclose(whole, source.truth(0), atol=0.5)
    setattr(live, name, value)
    with pytest.raises(UsageError, match=message):
        live.get_pose(bgr(source.draw(0)))


def test_a_crop_beyond_the_edge_ends_there(blobs: Path, source: BlobSource, caplog: pytest.LogCaptureFixture) -> None:
    live = DLCLive(blobs, "pytorch", cropping=[10, 1000, 4, 1000])
    for index in range(2):
        np.testing.assert_allclose(live.get_pose(bgr(source.draw(index))), source.truth(index), atol=0.5)
    assert caplog.text.count("reaches outside the frame of 160 x 120 pixels") == 1


def test_the_options_may_change_between_frames(blobs: Path, source: BlobSource) -> None:
    live = DLCLive(blobs, "pytorch")
    live.get_pose(bgr(source.draw(0)))
    live.cropping, live.resize = [4, 156, 4, 118], 1.5
    assert live.process_frame(bgr(source.draw(1))).shape == (171, 228, 3)
    np.testing.assert_allclose(live.get_pose(bgr(source.draw(1))), source.truth(1), atol=0.75)
    live.cropping[0] = 8  # in place
    assert live.process_frame(bgr(source.draw(1))).shape == (171, 222, 3)


def test_close_and_use_again(blobs: Path, source: BlobSource) -> None:
    live = DLCLive(blobs, "pytorch")
    live.init_inference(bgr(source.draw(0)))
    assert live.is_initialized
    live.close()
    live.close()
    assert not live.is_initialized
    np.testing.assert_allclose(live.get_pose(bgr(source.draw(1))), source.truth(1), atol=0.5)


class TestDynamic:
    """The window around the animal."""

    def test_it_is_where_deeplabcut_live_has_it(self, blobs: Path) -> None:
        """The corners of the window are whole pixels of the keypoints, less and plus the margin."""
        live = DLCLive(blobs, "pytorch", dynamic=(True, 0.5, 10))
        live.pose = np.array([[50.7, 60.2, 0.9], [70.9, 90.1, 0.8], [0.0, 0.0, 0.1]], np.float32)
        assert live.process_frame(np.zeros((120, 160, 3), np.uint8)).shape == (50, 40, 3)
        assert live.dynamic_cropping == [40, 80, 50, 100]

    def test_in_a_crop_it_is_relative_to_the_crop(self, blobs: Path) -> None:
        live = DLCLive(blobs, "pytorch", dynamic=(True, 0.5, 10), cropping=[20, 160, 30, 120])
        live.pose = np.array([[50.7, 60.2, 0.9], [70.9, 90.1, 0.8]], np.float32)
        assert live.process_frame(np.zeros((120, 160, 3), np.uint8)).shape == (50, 40, 3)
        assert live.dynamic_cropping == [20, 60, 20, 70]

    def test_an_animal_beyond_the_edge_is_searched_everywhere(self, blobs: Path) -> None:
        live = DLCLive(blobs, "pytorch", dynamic=(True, 0.5, 10))
        live.pose = np.array([[500.0, 60.0, 0.9]], np.float32)
        assert live.process_frame(np.zeros((120, 160, 3), np.uint8)).shape == (120, 160, 3)
        assert live.dynamic_cropping is None

    def test_float_margins_and_several_animals(self, blobs: Path) -> None:
        live = DLCLive(blobs, "pytorch", dynamic=(True, 0.5, 9.5), single_animal=False)
        live.pose = np.array([[[50, 60, 0.9]], [[90, 40, 0.9]]], np.float32)
        assert live.process_frame(np.zeros((120, 160, 3), np.uint8)).shape[:2] == (40, 60)

    def test_the_networks_pose_steers_it_and_not_the_processors(self, blobs: Path, source: BlobSource) -> None:
        class Away:
            def process(self, pose: Any, **kwargs: Any) -> Any:
                return pose + 1000

        live = DLCLive(blobs, "pytorch", dynamic=(True, 0.5, 12), processor=Away())
        for index in range(3):
            np.testing.assert_allclose(
                live.get_pose(bgr(source.draw(index)))[:, :2], source.truth(index)[:, :2] + 1000, atol=0.5
            )
        assert live.dynamic_cropping is not None


@pytest.mark.parametrize("call", ["runner", "post"])
def test_a_runner_of_the_callers_own(
    blobs: Path, source: BlobSource, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Programs replace `build_runner`, as deeplabcut-live's tests do."""
    from dlclive import factory
    from dlclive.core.runner import BaseRunner

    class Middle(BaseRunner):
        precision = "FP32"

        def get_pose(self, frame: Frame, **kwargs: Any) -> Any:
            return np.array([[frame.shape[1] / 2, frame.shape[0] / 2, 1.0]])

        init_inference: Callable[..., Any] = get_pose

        def close(self) -> None:
            pass

        def read_config(self) -> dict[str, Any]:
            return {}

    monkeypatch.setattr(factory, "build_runner", lambda model_type, path, **options: Middle(path))
    live = DLCLive(blobs, cropping=[40, 140, 20, 60], resize=0.5)
    frame = bgr(source.draw(0))
    expected = [[90, 40, 1]]
    if call == "runner":
        np.testing.assert_allclose(live.init_inference(frame), expected)
        np.testing.assert_allclose(live.get_pose(frame), expected)
    else:
        processed = live.process_frame(frame)
        live.pose = live.runner.get_pose(processed)
        np.testing.assert_allclose(live._post_process_pose(processed), expected)
        np.testing.assert_allclose(live.pose, expected)


def test_the_window_forgets_an_earlier_video(blobs: Path, source: BlobSource) -> None:
    live = DLCLive(blobs, "pytorch", dynamic=(True, 0.5, 12))
    live.init_inference(bgr(source.draw(0)))
    live.get_pose(bgr(source.draw(1)))
    assert live.dynamic_cropping is not None
    live.init_inference(bgr(source.draw(9)))
    assert live.dynamic_cropping is None
    live.get_pose(bgr(source.draw(10)))
    live.close()
    live.get_pose(bgr(source.draw(2)))
    assert live.dynamic_cropping is None


def test_a_crop_may_be_an_array_and_a_pose_of_a_wrong_shape_is_one_line(blobs: Path, source: BlobSource) -> None:
    live = DLCLive(blobs, "pytorch", cropping=np.array([4, 156, 4, 118]), dynamic=(True, 0.5, 12))
    np.testing.assert_allclose(live.get_pose(bgr(source.draw(0))), source.truth(0), atol=0.5)
    for wrong in (np.zeros((3, 2)), np.zeros(9)):
        live.pose = wrong
        with pytest.raises(UsageError, match=r"^pose has shape \(.*\); set an array of shape \(K, 3\)"):
            live.get_pose(bgr(source.draw(1)))
    live.pose = None
    np.testing.assert_allclose(live.get_pose(bgr(source.draw(1))), source.truth(1), atol=0.5)
