"""A `.pt` file, which callers insist on, stands for the faster file that `dlclive tune` has made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlclive import DLCLive
from dlclive.core.model_runner import ModelRunner

from dlclive_core import UnsupportedModelError, UsageError
from dlclive_core.profiles import Machine, Profile, Variant, profile_path, profile_to_json
from dlclive_core.regions import FollowingCropSpec
from dlclive_core.runtimes import sha256
from dlclive_core.testing import BlobSource

from .conftest import bgr

GUI = {"dynamic": [False, 0.5, 10], "resize": 1.0, "precision": "FP32", "single_animal": True, "device": "auto"}
"""What DeepLabCut-live GUI passes whatever the user chose."""


@pytest.fixture
def tuned(blobs: Path) -> Path:
    """A model with a profile: an ONNX file in its place, at 1.5, in a window that follows the animal."""
    variant = blobs.with_suffix(".onnx")
    variant.write_bytes(b"the same discs, faster")
    profile = Profile(
        model=blobs.name,
        sha256=sha256(blobs),
        machine=Machine.this(),
        runtime="onnx",
        device="cpu",
        precision="fp16",
        variant=Variant(variant.name, sha256(variant)),
        resize=1.5,
        follow=FollowingCropSpec(threshold=0.5, margin=6, window=(112, 88), at_once=True),
    )
    profile_path(blobs).write_text(profile_to_json(profile), encoding="utf-8")
    return blobs


def test_it_is_used_and_said(tuned: Path, source: BlobSource, caplog: pytest.LogCaptureFixture) -> None:
    live = DLCLive(str(tuned), "pytorch", **GUI)
    assert live.profile is None
    live.init_inference(bgr(source.draw(0)))
    assert live.runner.model.loaded == ("blobs.onnx", "cpu", "fp16")
    assert live.runner.loaded_file == tuned.with_suffix(".onnx")
    assert live.profile is not None
    assert live.profile.path == profile_path(tuned)
    said = f"{tuned} is run as {tuned.with_suffix('.onnx')} (onnx:fp16:cpu at 1.5, following 112x88), as {profile_path(tuned)}"
    assert caplog.text.count(said) == 1
    assert caplog.records[0].levelname == "WARNING"  # seen without any configuration of logging


def test_its_regions_are_the_networks_view(tuned: Path, source: BlobSource) -> None:
    live = DLCLive(str(tuned), "pytorch", **GUI)
    for index in range(6):
        processed = live.process_frame(bgr(source.draw(index)))
        assert processed.shape[:2] == ((180, 240) if index == 0 else (132, 168))
        np.testing.assert_allclose(live.runner.get_pose(processed), source.truth(index), atol=1.0)
    for index in range(6, 9):
        np.testing.assert_allclose(live.get_pose(bgr(source.draw(index))), source.truth(index), atol=1.0)


def test_a_lost_animal_is_searched_in_the_whole_frame_at_once(tuned: Path, source: BlobSource) -> None:
    """The second inference is on the same frame, so the processor is called once."""
    calls = []

    class Count:
        def process(self, pose, **kwargs):
            calls.append(pose)

    live = DLCLive(str(tuned), "pytorch", processor=Count(), **GUI)
    here, elsewhere = np.zeros((300, 400, 3), np.uint8), np.zeros((300, 400, 3), np.uint8)
    here[:120, :160] = elsewhere[150:270, 200:360] = bgr(source.draw(0))
    live.init_inference(here)
    processed = live.process_frame(elsewhere)
    assert processed.shape == (132, 168, 3)
    expected = source.truth(0) + np.array([200, 150, 0])
    np.testing.assert_allclose(live.runner.get_pose(processed), expected, atol=1.0)
    np.testing.assert_allclose(live.get_pose(here), source.truth(0), atol=1.0)
    assert len(calls) == 3


def test_the_window_shows_what_the_pose_was_found_in(tuned: Path, source: BlobSource) -> None:
    """After a second look, that is another image than the one that `process_frame` returned."""
    shown = []

    class Window:
        def display_frame(self, image, pose):
            shown.append((image, pose))

        def destroy(self):
            pass

    live = DLCLive(str(tuned), "pytorch", display=Window(), **GUI)
    here, elsewhere = np.zeros((300, 400, 3), np.uint8), np.zeros((300, 400, 3), np.uint8)
    here[:120, :160] = elsewhere[150:270, 200:360] = bgr(source.draw(0))
    for frame in (here, here, elsewhere):
        live.get_pose(frame)
    assert [image.shape for image, _ in shown] == [(450, 600, 3), (132, 168, 3), (450, 600, 3)]
    image, pose = shown[-1]
    for x, y, _ in pose:  # the discs are yellow
        assert image[round(y), round(x), 0] > 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dynamic": True}, r"dynamic takes \(state, threshold, margin\), such as \(True, 0.5, 10\); got True$"),
        ({"dynamic": None}, "dynamic takes"),
        ({"dynamic": (True, "a", 10)}, "confidence from 0 to 1; got 'a'"),
        ({"cropping": 5}, "four numbers x1, x2, y1, y2; got 5$"),
        ({"cropping": [0, None, 0, 4]}, "whole pixels"),
        ({"resize": "half"}, "factor above 0.*got 'half'"),
        ({"top_down_config": True}, "top_down_config takes a dict"),
        ({"top_down_dynamic": 3}, "top_down_dynamic takes a dict"),
        ({"model_type": "pytorh"}, r"Unknown model type: pytorh; did you mean 'pytorch'\?$"),
        ({"model_type": "caffe"}, "choose from base, onnx, openvino, pytorch, tensorrt$"),
    ],
)
def test_malformed_options_are_one_line(blobs: Path, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DLCLive(blobs, **{"model_type": "pytorch", **options})


@pytest.mark.parametrize("model_type", ["tensorflow", "lite", "tflite"])
def test_a_type_of_tensorflow_for_a_file_of_ours_is_not_needed(blobs: Path, model_type: str) -> None:
    with pytest.raises(
        UnsupportedModelError, match=r"does not run; a \.pt file such as .* needs no model_type: leave it"
    ):
        DLCLive(blobs, model_type)


def test_an_option_that_a_script_has_broken_is_one_line(blobs: Path) -> None:
    live = DLCLive(blobs, "pytorch")
    live.dynamic = True
    with pytest.raises(UsageError, match="dynamic takes"):
        live.get_pose(np.zeros((120, 160, 3), np.uint8))


def test_a_window_around_one_keypoint_is_as_large_as_the_network_needs(blobs: Path) -> None:
    live = DLCLive(blobs, "pytorch", cropping=[10, 150, 0, 120], dynamic=(True, 0.5, 3), resize=0.5)
    frame = np.zeros((120, 160, 3), np.uint8)
    live.init_inference(frame)
    assert isinstance(live.runner, ModelRunner)
    assert live.runner.model is not None
    live.runner.model.card = live.runner.model.card.with_(stride=16.0)
    live.pose = np.array([[11.0, 1.0, 0.9], [80.0, 60.0, 0.2], [90.0, 60.0, 0.2]])
    assert live.process_frame(frame).shape == (16, 16, 3)
    live.pose = np.array([[11.0, 1.0, 0.9], [80.0, 61.0, 0.9], [90.0, 60.0, 0.2]])
    assert live.process_frame(frame).shape == (32, 36, 3)


@pytest.mark.parametrize(
    "options", [{"precision": "FP16"}, {"device": "cpu"}, {"model_type": "onnx"}, {"dynamic": (True, 0.5, 10)}]
)
def test_what_the_caller_sets_wins(tuned: Path, source: BlobSource, options: dict) -> None:
    path = tuned.with_suffix(".onnx") if "model_type" in options else tuned
    live = DLCLive(str(path), **{"model_type": "pytorch", **GUI, **options})
    live.init_inference(bgr(source.draw(0)))
    assert (live.profile is None) == ("dynamic" not in options)
    assert live.process_frame(bgr(source.draw(0))).shape[1] <= 160


def test_the_types_that_callers_pass_ask_for_nothing(blobs: Path, source: BlobSource) -> None:
    for model_type in ("base", "pytorch", "PyTorch"):
        live = DLCLive(blobs, model_type, **GUI)
        live.init_inference(bgr(source.draw(0)))
        assert live.runner.model.loaded == ("blobs.pt", "auto", "auto")
    live = DLCLive(blobs, "pytorch", precision="FP16", device="cuda:1")
    live.runner.load_model()
    assert live.runner.model.loaded == ("blobs.pt", "cuda:1", "fp16")
