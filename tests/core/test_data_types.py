"""Frames, skeletons, poses and cards."""

from dataclasses import replace

import numpy as np
import pytest

from dlclive_core import (
    FrameError,
    ModelCard,
    ModelError,
    Pose,
    Pose3D,
    Skeleton,
    UsageError,
    as_rgb,
    check_image,
    swap_red_blue,
)
from dlclive_core.data import colour_order

MOUSE = Skeleton(("snout", "leftear", "tailbase"), ((0, 1), (1, 2)))


def test_a_skeleton_rejects_repeated_names_and_bad_edges() -> None:
    with pytest.raises(UsageError, match="repeated: snout"):
        Skeleton(("snout", "tail", "snout"))
    with pytest.raises(UsageError, match="out of range for 2 keypoints"):
        Skeleton(("a", "b"), ((0, 2),))


def test_the_error_for_an_unknown_keypoint_suggests_the_nearest() -> None:
    assert MOUSE.index("tailbase") == 2
    with pytest.raises(UsageError, match="did you mean 'leftear'"):
        MOUSE.index("left_ear")


def test_a_missing_pose_is_nan_with_confidence_zero() -> None:
    pose = Pose.missing(MOUSE, 2)
    assert len(pose) == 2
    assert np.isnan(pose.xy).all()
    assert (pose.confidence == 0).all()


def test_single_returns_the_most_confident_individual_or_a_missing_one() -> None:
    keypoints = np.zeros((2, 3, 3), np.float32)
    keypoints[0, :, 2], keypoints[1, :, 2] = (0.9, 0.0, 0.0), (0.5, 0.5, 0.5)
    keypoints[1, :, 0] = 7
    assert (Pose(keypoints, MOUSE).single()[:, 0] == 7).all()
    missing = Pose.missing(MOUSE, 0).single()
    assert missing.shape == (3, 3)
    assert np.isnan(missing[:, :2]).all()
    assert (missing[:, 2] == 0).all()


def test_xy_and_confidence_are_views() -> None:
    keypoints = np.zeros((1, 3, 3), np.float32)
    keypoints[0, 1] = (4, 5, 0.5)
    pose = Pose(keypoints, MOUSE)
    assert pose.xy.base is pose.keypoints
    assert pose.xy[0, 1].tolist() == [4, 5]
    assert pose.confidence[0, 1] == 0.5


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 3), np.float32), "shape"),
        (np.zeros((1, 2, 3), np.float32), "shape"),
        (np.zeros((1, 3, 3)), "float64"),
    ],
)
def test_a_pose_rejects_arrays_of_wrong_shape_or_type(array: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pose(array, MOUSE)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), "float32; pass uint8"),
        (np.full((4, 4, 3), np.nan), "contains NaN"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), "empty"),
        (None, "NoneType"),
    ],
)
def test_the_error_for_a_bad_image_gives_the_reason(image: object, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        check_image(image)


def test_as_rgb_converts_grey_and_returns_rgb_unchanged() -> None:
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    rgb = as_rgb(grey)
    assert rgb.shape == (2, 3, 3)
    assert (rgb == grey[:, :, None]).all()
    assert as_rgb(rgb) is rgb


def test_a_card_survives_a_round_trip_through_json() -> None:
    card = ModelCard(
        net_type="resnet_50",
        skeleton=MOUSE,
        individuals=("a", "b"),
        pad_divisor=(32, 64),
        input_size=(256, 320),
        scorer="DLC_x",
        stride=8.0,
    )
    assert ModelCard.from_json(card.to_json()) == card


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"card_version": 1}', '{"card_version": "one"}', "null"])
def test_an_invalid_card_is_a_model_error(text: str) -> None:
    with pytest.raises(ModelError, match="the card of the model cannot be read"):
        ModelCard.from_json(text)


def test_the_error_for_a_newer_card_names_the_package_to_update() -> None:
    with pytest.raises(ModelError, match="update dlclive-core"):
        ModelCard.from_json('{"card_version": 99}')


def in_space() -> Pose3D:
    keypoints = np.zeros((2, 3, 4), np.float32)
    keypoints[0, 1], keypoints[1, 0] = (4, 5, 6, 0.5), (1, 2, 3, 0.9)
    return Pose3D(keypoints, MOUSE, error=np.ones((2, 3), np.float32), views=np.full((2, 3), 2), unit="mm")


def test_a_pose_in_space_has_three_coordinates_and_a_confidence() -> None:
    pose = in_space()
    assert (Pose.dimensions, pose.dimensions) == (2, 3)
    assert pose.positions.base is pose.keypoints
    assert pose.positions[0, 1].tolist() == [4, 5, 6]
    assert pose.confidence[0, 1] == 0.5
    assert pose.single()[0].tolist() == pytest.approx([1, 2, 3, 0.9])
    assert Pose(np.zeros((1, 3, 3), np.float32), MOUSE).positions.shape == (1, 3, 2)
    assert isinstance(pose, Pose)


def test_a_missing_pose_in_space() -> None:
    missing = Pose3D.missing(MOUSE, 2)
    assert isinstance(missing, Pose3D)
    assert np.isnan(missing.positions).all()
    assert (missing.confidence == 0).all()
    assert Pose3D.missing(MOUSE, 0).single().shape == (3, 4)


def test_the_arrays_of_a_pose_in_space_are_read_only_copies() -> None:
    keypoints, error = np.zeros((1, 3, 4), np.float32), np.zeros((1, 3), np.float32)
    pose = Pose3D(keypoints, MOUSE, error=error, views=np.zeros((1, 3), int))
    keypoints[:], error[:] = 7, 7
    assert (pose.keypoints == 0).all()
    assert (pose.error == 0).all()
    for array in (pose.keypoints, pose.error, pose.views):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    moved = replace(pose, keypoints=np.ones((1, 3, 4), np.float32))
    assert isinstance(moved, Pose3D)
    assert moved.error is pose.error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keypoints": np.zeros((1, 3, 3), np.float32)}, r"requires \(N, 3, 4\)"),
        ({"keypoints": np.zeros((1, 3, 4))}, "float64"),
        ({"error": np.zeros((2, 3), np.float32)}, r"error has shape \(2, 3\)"),
        ({"views": np.zeros((1, 2), int)}, r"views has shape \(1, 2\)"),
        ({"ids": ("a", "b")}, "2 ids for 1"),
    ],
)
def test_a_pose_in_space_rejects_arrays_of_wrong_shape(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pose3D(**{"keypoints": np.zeros((1, 3, 4), np.float32), "skeleton": MOUSE} | options)


@pytest.mark.parametrize("has_opencv", [True, False])
def test_red_and_blue_are_exchanged_with_and_without_opencv(has_opencv: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if has_opencv:
        pytest.importorskip("cv2")
    else:
        monkeypatch.setattr(colour_order, "_opencv", lambda: None)
    image = np.random.default_rng(0).integers(0, 256, (20, 31, 3), np.uint8)
    image.flags.writeable = False
    for view in (image, image[3:17, 5:30], image[::-1, ::2], image[:, :, ::-1], image[:1, :1]):
        swapped = swap_red_blue(view)
        np.testing.assert_array_equal(swapped, np.stack([view[:, :, 2], view[:, :, 1], view[:, :, 0]], axis=2))
        assert swapped.flags.c_contiguous
        assert swapped.flags.writeable
        assert not np.shares_memory(swapped, view)
