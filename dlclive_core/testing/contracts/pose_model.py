"""The contract of pose models."""

from __future__ import annotations

import numpy as np
import pytest

from dlclive_core.components import PoseModel
from dlclive_core.data.card import ModelCard
from dlclive_core.data.pose import Pose
from dlclive_core.errors import FrameError
from dlclive_core.testing.contracts.base import Contract


class PoseModelContract(Contract):
    """Override `model`; override `shape` if the model accepts one size only."""

    @pytest.fixture
    def model(self) -> PoseModel:
        """Must be overridden: a loaded model."""
        raise NotImplementedError

    @pytest.fixture
    def shape(self) -> tuple[int, int]:
        """May be overridden: (height, width) of an image that the model accepts."""
        return (96, 128)

    def test_card_survives_a_round_trip_through_json(self, model: PoseModel) -> None:
        """Troubleshooting: the card's values must be plain tuples, numbers and strings."""
        assert ModelCard.from_json(model.card.to_json()) == model.card
        assert model.runtime
        assert model.device

    def test_predict_returns_a_pose_with_the_cards_skeleton(self, model: PoseModel, shape: tuple[int, int]) -> None:
        """Troubleshooting: keypoints are (N, K, 3) float32, confidence is in 0..1, and a missing keypoint is NaN, NaN, 0."""
        pose = model.predict(_noise((*shape, 3)))
        assert isinstance(pose, Pose)
        assert pose.skeleton == model.card.skeleton
        assert np.all((pose.confidence >= 0) & (pose.confidence <= 1))
        missing = np.isnan(pose.xy).any(axis=-1)
        assert np.all(pose.confidence[missing] == 0)

    def test_predict_is_deterministic(self, model: PoseModel, shape: tuple[int, int]) -> None:
        """Troubleshooting: `reset` must clear all state of earlier frames; dropout must be off at inference."""
        image = _noise((*shape, 3))
        np.testing.assert_array_equal(_predict_first(model, image), _predict_first(model, image))

    def test_predict_does_not_modify_the_image(self, model: PoseModel, shape: tuple[int, int]) -> None:
        """Troubleshooting: normalise into a copy."""
        image = _noise((*shape, 3))
        before = image.copy()
        model.predict(image)
        np.testing.assert_array_equal(image, before)

    def test_grey_equals_rgb_with_equal_channels(self, model: PoseModel, shape: tuple[int, int]) -> None:
        """Troubleshooting: use `as_rgb`."""
        grey = _noise(shape)
        expected = _predict_first(model, np.repeat(grey[:, :, None], 3, axis=2))
        np.testing.assert_allclose(_predict_first(model, grey), expected, atol=1e-4)

    def test_accepts_views_that_are_not_contiguous(self, model: PoseModel, shape: tuple[int, int]) -> None:
        """Crops are views. Troubleshooting: call `np.ascontiguousarray` before a library that needs it."""
        big = _noise((shape[0] + 8, shape[1] + 8, 3))
        view = big[4:-4, 4:-4]
        np.testing.assert_array_equal(_predict_first(model, view), _predict_first(model, view.copy()))

    def test_a_prediction_does_not_change_an_earlier_pose(self, model: PoseModel, shape: tuple[int, int]) -> None:
        """Troubleshooting: the pose is a view of a reused buffer; copy it."""
        first = model.predict(_noise((*shape, 3))).keypoints
        kept = first.copy()
        model.predict(255 - _noise((*shape, 3)))
        np.testing.assert_array_equal(first, kept)

    def test_a_batch_returns_the_same_poses_as_single_images(self, model: PoseModel, shape: tuple[int, int]) -> None:
        """Troubleshooting: a batch may differ by rounding errors only."""
        images = [_noise((*shape, 3), seed) for seed in range(3)]
        poses = model.predict_batch(images)
        model.reset()
        for image, pose in zip(images, poses, strict=True):
            np.testing.assert_allclose(pose.keypoints, model.predict(image).keypoints, atol=0.01)

    @pytest.mark.parametrize(
        "image",
        [
            np.zeros((8, 8, 3), np.float32),
            np.full((8, 8, 3), np.nan),
            np.zeros((8, 8, 4), np.uint8),
            np.zeros((8, 8, 1), np.uint8),
            np.zeros((0, 8, 3), np.uint8),
            "frame.png",
        ],
        ids=["float", "NaN", "RGBA", "one channel", "empty", "not an array"],
    )
    def test_rejects_invalid_frames(self, model: PoseModel, image: object) -> None:
        """Troubleshooting: call `check_image` first."""
        with pytest.raises(FrameError):
            model.predict(image)  # type: ignore[arg-type]

    def test_can_be_closed_twice(self, model: PoseModel) -> None:
        """Troubleshooting: `close` must be idempotent."""
        model.close()
        model.close()


def _predict_first(model: PoseModel, image: np.ndarray) -> np.ndarray:
    """The keypoints of an image right after `reset`."""
    model.reset()
    return model.predict(image).keypoints


def _noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
