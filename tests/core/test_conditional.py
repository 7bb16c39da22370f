"""Conditional models on a network with true answers: discs on black, found near the condition."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dlclive_core import DetectionOptions, ModelCard, ModelError, Network, Pose, PoseModel, UsageError
from dlclive_core.models.conditional import ConditionalModel
from dlclive_core.testing import BlobModel, BlobSource, PoseModelContract
from dlclive_core.testing.blobs import blob_skeleton

CARD = ModelCard(
    net_type="blobs",
    skeleton=blob_skeleton(3),
    individuals=("a", "b"),
    multi_animal=True,
    method="conditional",
    normalisation="none",
    input_size=(64, 64),
    crop_context=False,
    condition_margin=20.0,
)
TRUTH = BlobSource(size=(64, 64)).truth(0)


class NearNetwork(Network):
    """Finds the discs of a BlobSource in each crop, if a condition is in it."""

    runtime = "numpy"

    def __init__(self, card: ModelCard = CARD) -> None:
        self.card = card
        self._blobs = BlobModel(3)
        self.conditions: list[NDArray[np.float32]] = []

    def run(
        self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        assert conditions is not None
        assert len(conditions) == len(images)
        self.conditions.append(conditions)
        return {"keypoints": np.stack([self._blobs.predict(image).keypoints for image in images])}


class Search(PoseModel):
    """A bottom-up model that answers with what the test puts there."""

    runtime = "numpy"

    def __init__(self, *animals: NDArray[np.float32]) -> None:
        self.card = CARD.with_(method="bottom-up", input_size=None)
        self.animals = list(animals)
        self.calls = 0
        self.closed = False

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        self.calls += 1
        return Pose(np.asarray(self.animals, np.float32).reshape(-1, 3, 3), self.card.skeleton)

    def close(self) -> None:
        self.closed = True


def scene(*animals: tuple[int, int]) -> NDArray[np.uint8]:
    """Black, with the first frame of a small BlobSource at each (x, y)."""
    image = np.zeros((240, 320, 3), np.uint8)
    small = BlobSource(size=(64, 64)).draw(0)
    for x, y in animals:
        image[y : y + 64, x : x + 64] = small
    return image


def at(x: float, y: float) -> NDArray[np.float32]:
    return TRUTH + np.asarray((x, y, 0), np.float32)


class TestConditionalModel(PoseModelContract):
    @pytest.fixture
    def model(self) -> PoseModel:
        return ConditionalModel(NearNetwork(), Search(at(20, 10)), DetectionOptions())


def test_it_remembers() -> None:
    assert ConditionalModel(NearNetwork(), Search(at(20, 10)), DetectionOptions()).remembers


def test_animals_are_found_by_the_search_and_followed_in_their_rows() -> None:
    search = Search(at(20, 30), at(200, 100))
    model = ConditionalModel(NearNetwork(), search, DetectionOptions())
    first = model.predict(scene((20, 30), (200, 100)))
    np.testing.assert_allclose(first.keypoints, [at(20, 30), at(200, 100)], atol=1.5)
    search.animals = []
    for step in range(1, 6):
        pose = model.predict(scene((20 + 3 * step, 30), (200 - 3 * step, 100)))
        np.testing.assert_allclose(pose.keypoints, [at(20 + 3 * step, 30), at(200 - 3 * step, 100)], atol=1.5)
    assert search.calls == 1


def test_an_animal_that_left_is_missing_and_keeps_its_row_when_it_returns() -> None:
    search = Search(at(20, 30), at(200, 100))
    model = ConditionalModel(NearNetwork(), search, DetectionOptions())
    model.predict(scene((20, 30), (200, 100)))
    model.predict(scene((200, 100)))
    gone = model.predict(scene((200, 100)))
    assert np.isnan(gone.xy[0]).all()
    np.testing.assert_allclose(gone.keypoints[1], at(200, 100), atol=1.5)
    search.animals = [at(100, 150), at(200, 100)]
    for _ in range(101):  # while one is missing, the bottom-up model is asked every hundredth frame
        back = model.predict(scene((100, 150), (200, 100)))
    np.testing.assert_allclose(back.keypoints, [at(100, 150), at(200, 100)], atol=1.5)
    assert search.calls == 2


def test_no_animal_is_missing_rows() -> None:
    model = ConditionalModel(NearNetwork(), Search(), DetectionOptions())
    pose = model.predict(scene())
    assert pose.keypoints.shape == (2, 3, 3)
    assert np.isnan(pose.xy).all()


def test_the_callers_conditions_are_taken_as_they_are() -> None:
    network = NearNetwork()
    model = ConditionalModel(network, None, DetectionOptions())
    rough = at(22, 28)
    pose = model.predict(scene((20, 30)), conditions=np.stack([rough, np.full((3, 3), np.nan, np.float32)]))
    np.testing.assert_allclose(pose.keypoints[0], at(20, 30), atol=1.5)
    assert np.isnan(pose.xy[1]).all()
    assert len(network.conditions[0]) == 1
    assert ((network.conditions[0] >= 0) & (network.conditions[0] <= 64)).all()  # in pixels of the crop


def test_a_box_of_the_inputs_size_is_untouched() -> None:
    network = NearNetwork()
    model = ConditionalModel(network, None, DetectionOptions())
    pose = model.predict(scene((20, 30)), conditions=at(20, 30)[None], boxes=np.array([[20, 30, 84, 94]], np.float32))
    np.testing.assert_allclose(pose.keypoints[0], at(20, 30), atol=0.6)
    np.testing.assert_allclose(network.conditions[0][0], TRUTH, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 4, 3), (3, 3), (1, 3, 2)])
def test_conditions_of_another_skeleton(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"conditions must be \(N, 3, 3\).*of the keypoints of blobs"):
        ConditionalModel(NearNetwork(), None, DetectionOptions()).predict(
            scene(), conditions=np.zeros(shape, np.float32)
        )


def test_a_search_with_other_keypoints() -> None:
    search = Search()
    search.card = search.card.with_(skeleton=blob_skeleton(4))
    with pytest.raises(UsageError, match=r"come from blobs with 4 keypoints .*needs the 3 that it was trained with"):
        ConditionalModel(NearNetwork(), search, DetectionOptions())


def test_without_conditions_it_says_what_to_do() -> None:
    model = ConditionalModel(NearNetwork(), None, DetectionOptions())
    with pytest.raises(UsageError, match=r"without a bottom-up model .* --conditions FILE"):
        model.predict(scene())
    with pytest.raises(UsageError, match="boxes need conditions"):
        model.predict(scene(), boxes=np.zeros((1, 4), np.float32))
    with pytest.raises(UsageError, match="2 boxes for 1 conditions"):
        model.predict(scene(), boxes=np.array([[0, 0, 9, 9]] * 2), conditions=at(0, 0)[None])


def test_a_card_without_the_size_of_the_crops_is_refused() -> None:
    with pytest.raises(ModelError, match="gives no crop size"):
        ConditionalModel(NearNetwork(CARD.with_(input_size=None)), None, DetectionOptions())


@pytest.mark.parametrize("owns", [True, False])
def test_closing_closes_the_search_that_it_owns(owns: bool) -> None:
    search = Search()
    ConditionalModel(NearNetwork(), search, DetectionOptions(), owns_search=owns).close()
    assert search.closed is owns
