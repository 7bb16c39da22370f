"""What is known about a student: in its card, and in its poses."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dlclive_core import (
    ArrayProcessor,
    Crop,
    Frame,
    ModelCard,
    ModelError,
    Network,
    Pose,
    Pose3D,
    Resize,
    Skeleton,
    best_animal,
)
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.output_shapes import check_network, output_shapes
from dlclive_core.models.outputs import read_poses
from dlclive_core.regions import Chain, FollowingCrop, predict_through
from dlclive_core.testing import estimates
from dlclive_core.testing.fakes import lifted
from tests.students import FACTS

PAIR = Skeleton(("head", "tail"))
CARD = ModelCard(net_type="window", skeleton=PAIR, student=FACTS)
KEYPOINTS = np.array([[[[10, 20, 0.9], [30, 40, 0.8]]]], np.float32)


class Student(Network):
    """The same keypoints in every image, and a number for each."""

    def __init__(self, *unlike: float) -> None:
        self.card, self._unlike = CARD, unlike

    def run(self, images, conditions=None):
        return {
            "keypoints": np.repeat(KEYPOINTS, len(images), axis=0),
            "unlike": np.array(self._unlike[: len(images)], np.float32),
        }


def test_a_card_with_a_student_survives_json() -> None:
    assert ModelCard.from_json(CARD.to_json()) == CARD
    without = CARD.with_(student=replace(FACTS, human_px=None, teacher_human_px=None))
    assert ModelCard.from_json(without.to_json()) == without


def test_a_card_without_one_is_read_as_before() -> None:
    values = json.loads(CARD.to_json())
    assert ModelCard.from_json(json.dumps(values | {"student": None})).student is None
    del values["student"]
    assert ModelCard.from_json(json.dumps(values)).student is None


def test_unknown_facts_are_ignored_and_human_labels_may_be_missing() -> None:
    values = json.loads(CARD.to_json())
    values["student"]["rig"] = "left"
    del values["student"]["human_px"]
    assert ModelCard.from_json(json.dumps(values)).student == replace(FACTS, human_px=None)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("teacher", ..., "student.teacher is missing"),
        ("teacher", 3, "student.teacher must be text of at most 255 characters|student.teacher must be text"),
        ("teacher", "x" * 256, "student.teacher must be text of at most 255 characters"),
        ("teacher", "rig/teacher.pt", "student: teacher must be the name of a file without its folder"),
        ("teacher", "a\x1b[2J", "student: teacher contains a control character"),
        ("teacher_sha256", "abc", "student.teacher_sha256 must be a SHA-256 in 64 hexadecimal digits"),
        ("videos", "a.mp4", "student.videos must be a list of strings"),
        ("videos", ["a.mp4", "b/c.mp4"], r"student: videos\[1\] must be the name of a file without its folder"),
        ("videos", ["a"] * 1001, "student: videos: 1001 names; 1000 is the most"),
        ("student", "", "student.student must be text"),
        ("student", "x\n", "student: student contains a control character"),
        ("frames", -1, "student.frames must be an integer from 0"),
        ("frames", 1.5, "student.frames must be an integer from 0"),
        ("steps", True, "student.steps must be an integer from 0"),
        ("seed", 2**60, "student.seed must be an integer from 0"),
        ("median_px", float("nan"), "student.median_px must be a number from 0"),
        ("p95_px", -1, "student.p95_px must be a number from 0"),
        ("p99_px", 10**9, "student.p99_px must be a number from 0 up to 65536"),
        ("p99_px", ..., "student.p99_px is missing"),
        ("lost", 1.1, "student.lost must be a number from 0 up to 1"),
        ("hallucinated", None, "student.hallucinated must be a number from 0 up to 1"),
        ("human_px", "far", "student.human_px must be a number from 0"),
    ],
)
def test_each_fact_is_checked_when_a_card_is_read(field: str, value: Any, message: str) -> None:
    values = json.loads(CARD.to_json())
    if value is ...:
        del values["student"][field]
    else:
        values["student"][field] = value
    with pytest.raises(ModelError, match=f"the card of m.onnx cannot be read: ({message})"):
        ModelCard.from_json(json.dumps(values), "m.onnx")


def test_facts_that_are_no_object_are_an_error() -> None:
    values = json.loads(CARD.to_json()) | {"student": [1]}
    with pytest.raises(ModelError, match="student is not a JSON object"):
        ModelCard.from_json(json.dumps(values))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("median_px", math.nan),
        ("human_px", math.inf),
        ("lost", 2.0),
        ("frames", -1),
        ("teacher_sha256", ""),
        ("p95_px", None),
    ],
)
def test_what_could_not_be_read_again_is_refused_when_it_is_made(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be"):
        replace(FACTS, **{field: value})


@pytest.mark.parametrize("method", ["top-down", "conditional"])
def test_a_student_sees_whole_images(method: Any) -> None:
    with pytest.raises(ValueError, match=f"a student finds animals in whole images, and is not {method}"):
        CARD.with_(method=method)


def test_a_students_network_must_say_how_unlike_each_image_is() -> None:
    assert output_shapes(CARD)["unlike"] == (None,)
    assert "unlike" not in output_shapes(CARD.with_(student=None))
    inputs, outputs = {"image": (None, None, None, 3)}, {"keypoints": (None, 1, 2, 3)}
    check_network(CARD, inputs, outputs | {"unlike": ("N",)}, "m.onnx")
    with pytest.raises(ModelError, match="no output 'unlike', but keypoints"):
        check_network(CARD, inputs, outputs, "m.onnx")
    with pytest.raises(ModelError, match=r"output 'unlike' is \(any, 1\), and the card says \(any\)"):
        check_network(CARD, inputs, outputs | {"unlike": ("N", 1)}, "m.onnx")


def test_each_pose_of_a_batch_has_its_own_number() -> None:
    model = BottomUpModel(Student(0.25, 1.75))
    image = np.zeros((60, 80, 3), np.uint8)
    near, far = model.predict_batch([image, image])
    assert (near.unlike, far.unlike) == (0.25, 1.75)
    assert (near.is_unlike, far.is_unlike) == (False, True)
    assert type(near.unlike) is float


def test_a_network_that_returns_no_number_vouches_for_nothing() -> None:
    (pose,) = read_poses({"keypoints": KEYPOINTS, "unlike": np.array([np.nan], np.float32)}, CARD)
    assert pose.unlike == math.inf
    assert pose.is_unlike


def test_a_network_that_forgets_an_image_is_refused() -> None:
    with pytest.raises(ModelError, match="different numbers of images"):
        read_poses({"keypoints": np.repeat(KEYPOINTS, 2, axis=0), "unlike": np.zeros(1, np.float32)}, CARD)


@pytest.mark.parametrize(
    ("unlike", "expected"), [(None, False), (0.0, False), (1.0, False), (1.01, True), (math.nan, True)]
)
def test_the_limit_is_one(unlike: float | None, expected: bool) -> None:
    assert Pose(KEYPOINTS[0], PAIR, unlike=unlike).is_unlike is expected


def test_models_that_do_not_tell_have_no_number() -> None:
    (pose,) = read_poses({"keypoints": KEYPOINTS}, CARD.with_(student=None))
    assert pose.unlike is None
    assert not pose.is_unlike


def test_the_number_survives_regions() -> None:
    model = BottomUpModel(Student(1.5))
    image = np.zeros((120, 160, 3), np.uint8)
    pytest.importorskip("cv2", reason="resizing needs OpenCV")
    chain = Chain([Crop(20, 120, 20, 100), FollowingCrop(threshold=0.5, margin=10), Resize(0.5)])
    for _ in range(2):
        pose = predict_through(chain, image, model.predict)
        assert pose.unlike == 1.5
        assert (pose.xy[0, 0] > KEYPOINTS[0, 0, 0, :2]).all(), "it was not mapped to the frame"


def test_a_region_that_follows_is_told_the_number() -> None:
    told = []

    class Watching(Crop):
        def follow(self, pose: Pose) -> None:
            told.append(pose.unlike)

    chain = Chain([Crop(10, 150, 10, 110), Watching(0, 50, 0, 50)])
    predict_through(chain, np.zeros((120, 160, 3), np.uint8), BottomUpModel(Student(1.5)).predict)
    assert told == [1.5]


def test_the_number_survives_processors_on_arrays() -> None:
    class Shift:
        def process(self, array, **_):
            return array + 1

    frame = Frame(np.zeros((60, 80, 3), np.uint8), 0, 0.0)
    pose = Pose(np.repeat(KEYPOINTS[0], 2, axis=0), PAIR, unlike=1.25)
    assert best_animal(pose).unlike == 1.25
    assert ArrayProcessor(Shift()).process(pose, frame).unlike == 1.25
    assert ArrayProcessor(Shift(), single_animal=True).process(pose, frame).unlike == 1.25


def test_a_pose_in_space_has_no_number() -> None:
    (estimate,) = estimates(1)
    assert isinstance(lifted(estimate.pose), Pose3D)
    assert lifted(replace(estimate.pose, unlike=2.0)).unlike is None
