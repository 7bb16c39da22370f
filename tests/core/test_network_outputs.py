"""From a network's arrays to poses."""

from __future__ import annotations

import numpy as np
import pytest

from dlclive_core import FrameError, ModelCard, ModelError, Network, Skeleton
from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.outputs import read_poses

NAN = np.nan
PAIR = Skeleton(("head", "tail"))
CARD = ModelCard(
    net_type="two",
    skeleton=PAIR,
    individuals=("ann", "bob"),
    multi_animal=True,
    assembly=AssemblyRules(edges=((0, 1),), individuals=2, min_links=1),
)

HEADS = [[10, 10, 0.9], [50, 10, 0.8], [NAN, NAN, 0]]
TAILS = [[50, 30, 0.9], [10, 30, 0.7], [NAN, NAN, 0]]
"""Two animals, at x = 10 and x = 50; the surest tail belongs to the second head."""

PEAKS = np.array([[HEADS, TAILS]], np.float32)
AFFINITIES = np.array([[[[0.0, 0.9, 0], [0.8, 0.0, 0], [0, 0, 0]]]], np.float32)


def test_candidates_become_animals() -> None:
    (pose,) = read_poses({"peaks": PEAKS, "affinities": AFFINITIES}, CARD)
    animals = sorted(pose.keypoints.tolist())
    np.testing.assert_allclose(animals, [[HEADS[0], TAILS[1]], [HEADS[1], TAILS[0]]], rtol=1e-6)
    assert pose.ids is None


def test_those_that_are_absent_are_missing_rows() -> None:
    alone = PEAKS.copy()
    alone[0, :, 1:] = (NAN, NAN, 0)
    alone[0, 1, 0] = TAILS[1]
    affinities = np.zeros((1, 1, 3, 3), np.float32)
    affinities[0, 0, 0, 0] = 0.9
    (pose,) = read_poses({"peaks": alone, "affinities": affinities}, CARD)
    np.testing.assert_allclose(pose.keypoints[0], [HEADS[0], TAILS[1]], rtol=1e-6)
    assert np.isnan(pose.xy[1]).all()
    assert (pose.confidence[1] == 0).all()


def test_identity_puts_animals_into_the_order_of_the_individuals() -> None:
    """What looks like whom is given for candidates: the heads tell."""
    identity = np.zeros((1, 2, 3, 2), np.float32)
    identity[0, 0, 0] = (0.1, 0.9)  # the head at x = 10 looks like Bob,
    identity[0, 0, 1] = (0.8, 0.2)  # that at x = 50 like Ann
    arrays = {"peaks": PEAKS, "affinities": AFFINITIES, "identity": identity}
    (pose,) = read_poses(arrays, CARD.with_(identity=True))
    assert pose.ids == ("ann", "bob")
    np.testing.assert_allclose(pose.keypoints, [[HEADS[1], TAILS[0]], [HEADS[0], TAILS[1]]], rtol=1e-6)


def test_identity_of_keypoints_that_were_regressed() -> None:
    keypoints = np.array([[[[1, 1, 0.9], [2, 2, 0.9]], [[5, 5, 0.9], [6, 6, 0.9]]]], np.float32)
    identity = np.array([[[[0.2, 0.8], [0.3, 0.7]], [[0.9, 0.1], [0.6, 0.4]]]], np.float32)
    (pose,) = read_poses({"keypoints": keypoints, "identity": identity}, CARD.with_(assembly=None, identity=True))
    assert pose.ids == ("ann", "bob")
    np.testing.assert_array_equal(pose.keypoints, keypoints[0, ::-1])


def test_unique_keypoints_are_beside_the_animals() -> None:
    unique = np.array([[[3, 4, 0.5]], [[NAN, NAN, 0]]], np.float32)
    card = CARD.with_(assembly=None, unique_keypoints=("lever",))
    first, second = read_poses({"keypoints": np.ones((2, 1, 2, 3), np.float32), "unique": unique}, card)
    np.testing.assert_array_equal(first.unique, unique[0])
    np.testing.assert_array_equal(second.unique, unique[1])


def test_an_array_that_did_not_come_is_named() -> None:
    with pytest.raises(ModelError, match="no output 'peaks', but keypoints; export the model again"):
        read_poses({"keypoints": np.ones((1, 1, 2, 3), np.float32)}, CARD)


class Fixed(Network):
    runtime = "numpy"

    def __init__(self, card: ModelCard) -> None:
        self.card = card

    def run(self, images: np.ndarray, conditions: np.ndarray | None = None) -> dict[str, np.ndarray]:
        return {"keypoints": np.zeros((len(images), 1, 2, 3), np.float32)}


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (CARD.with_(assembly=None, stride=8.0), "is 20 x 7 pixels, smaller than the 8 x 8 that two needs"),
        (CARD.with_(assembly=None, input_size=(64, 32)), "fixed to 32 x 64 pixels .*; the image is 20 x 7"),
    ],
)
def test_images_that_cannot_go_in(card: ModelCard, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        BottomUpModel(Fixed(card)).predict(np.zeros((7, 20, 3), np.uint8))


def test_a_card_with_an_assembly_survives_json() -> None:
    card = CARD.with_(identity=True, unique_keypoints=("lever",), crop_margin=5.0, detector_sha256="ab")
    assert ModelCard.from_json(card.to_json()) == card
