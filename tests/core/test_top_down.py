"""Top-down models on a network and a detector with true answers: discs on black."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from dlclive_core import (
    DetectionOptions,
    Detector,
    FollowingBox,
    ModelCard,
    ModelError,
    Network,
    Pose,
    PoseModel,
    UsageError,
)
from dlclive_core.models.topdown import TopDownModel
from dlclive_core.models.topdown.boxes import tiles
from dlclive_core.testing import BlobModel, BlobSource, PoseModelContract
from dlclive_core.testing.blobs import blob_skeleton

CARD = ModelCard(
    net_type="blobs",
    skeleton=blob_skeleton(3),
    individuals=("a", "b"),
    multi_animal=True,
    method="top-down",
    normalisation="none",
    input_size=(64, 64),
)


@dataclass
class BlobDetector(Detector):
    """Answers with boxes that the test puts there."""

    boxes: list[tuple[float, ...]] = field(default_factory=list)
    calls: int = 0
    closed: bool = False

    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls += 1
        return np.asarray(self.boxes, np.float32).reshape(-1, 5)

    def close(self) -> None:
        self.closed = True


class BlobNetwork(Network):
    """Finds the discs of a BlobSource in each crop."""

    runtime = "numpy"

    def __init__(self, card: ModelCard = CARD, detector: BlobDetector | None = None) -> None:
        self.card, self._detector = card, detector
        self._blobs = BlobModel(3)
        self.batches: list[NDArray[np.uint8]] = []

    def run(
        self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        self.batches.append(images.copy())
        return {"keypoints": np.stack([self._blobs.predict(image).keypoints for image in images])}

    def detector(self) -> Detector | None:
        return self._detector


def scene(*animals: tuple[int, int], size: tuple[int, int] = (320, 240)) -> NDArray[np.uint8]:
    """Black, with the first frame of a small BlobSource at each (x, y)."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    small = BlobSource(size=(64, 64)).draw(0)
    for x, y in animals:
        image[y : y + 64, x : x + 64] = small
    return image


TRUTH = BlobSource(size=(64, 64)).truth(0)


def at(x: int, y: int) -> NDArray[np.float32]:
    return TRUTH + np.asarray((x, y, 0), np.float32)


class TestTopDownModel(PoseModelContract):
    @pytest.fixture
    def model(self) -> PoseModel:
        detector = BlobDetector([(10, 10, 74, 74, 0.9)])
        return TopDownModel(BlobNetwork(detector=detector), DetectionOptions(detect_every=3))


def test_each_animal_is_found_in_its_box_and_goes_back_to_the_frame() -> None:
    detector = BlobDetector([(200, 100, 264, 164, 0.9), (20, 30, 84, 94, 0.8)])
    network = BlobNetwork(detector=detector)
    pose = TopDownModel(network, DetectionOptions()).predict(scene((20, 30), (200, 100)))
    np.testing.assert_allclose(pose.keypoints, [at(200, 100), at(20, 30)], atol=0.6)  # the centre of a drawn disc
    assert pose.boxes is not None
    np.testing.assert_allclose(pose.boxes, detector.boxes)
    assert len(network.batches) == 1  # both crops together
    np.testing.assert_array_equal(
        network.batches[0][1], scene((20, 30))[30:94, 20:84]
    )  # untouched: as large as the input


def test_a_larger_box_is_shrunk_and_mapped_back() -> None:
    pose = TopDownModel(BlobNetwork(), DetectionOptions()).predict(scene((20, 30)), boxes=np.array([[4, 14, 132, 142]]))
    np.testing.assert_allclose(pose.keypoints[0], at(20, 30), atol=1.2)


def test_no_detection_is_no_animal() -> None:
    network = BlobNetwork(detector=BlobDetector())
    pose = TopDownModel(network, DetectionOptions()).predict(scene())
    assert pose.keypoints.shape == (0, 3, 3)
    assert pose.boxes is not None
    assert pose.boxes.shape == (0, 5)
    assert network.batches == []


def test_a_box_of_which_the_edge_of_the_frame_left_nothing_is_no_animal() -> None:
    boxes = [(0, 50, 0, 90, 0.9), (20, 30, 84, 94, 0.8), (10, 240, 90, 240.5, 0.7)]
    pose = TopDownModel(BlobNetwork(detector=BlobDetector(boxes)), DetectionOptions()).predict(scene((20, 30)))
    np.testing.assert_allclose(pose.keypoints, [at(20, 30)], atol=0.6)


def test_unsure_boxes_and_those_beyond_the_maximum_are_left_out() -> None:
    boxes = [(0, 0, 64, 64, 0.9), (64, 0, 128, 64, 0.8), (128, 0, 192, 64, 0.7), (192, 0, 256, 64, 0.4)]
    image = scene((0, 0), (64, 0), (128, 0), (192, 0))
    for detection, expected in [
        (DetectionOptions(), 2),  # the project has two individuals
        (DetectionOptions(max_animals=9), 3),
        (DetectionOptions(max_animals=9, min_score=0.3), 4),
        (DetectionOptions(max_animals=9, min_score=0.95), 0),
    ]:
        assert len(TopDownModel(BlobNetwork(detector=BlobDetector(boxes)), detection).predict(image)) == expected


def test_between_detections_animals_are_followed_and_lost_ones_are_lost() -> None:
    detector = BlobDetector([(20, 30, 84, 94, 0.9), (200, 100, 264, 164, 0.8)])
    model = TopDownModel(BlobNetwork(detector=detector), DetectionOptions(detect_every=4, margin=12))
    assert len(model.predict(scene((20, 30), (200, 100)))) == 2
    moved = model.predict(scene((26, 34), (206, 100)))
    np.testing.assert_allclose(moved.keypoints, [at(26, 34), at(206, 100)], atol=1.2)
    assert detector.calls == 1
    detector.boxes = [(32, 38, 96, 102, 0.9)]
    model.predict(scene((32, 38)))  # the second one is gone: looked for once more,
    after = model.predict(scene((38, 40)))  # and then no longer
    np.testing.assert_allclose(after.keypoints, [at(38, 40)], atol=1.2)
    assert detector.calls == 1
    model.predict(scene((40, 40)))  # the fifth frame
    assert detector.calls == 2


def test_when_all_are_lost_the_detector_is_asked_at_once() -> None:
    detector = BlobDetector([(20, 30, 84, 94, 0.9)])
    model = TopDownModel(BlobNetwork(detector=detector), DetectionOptions(detect_every=100))
    model.predict(scene((20, 30)))
    model.predict(scene())
    detector.boxes = [(100, 30, 164, 94, 0.9)]
    pose = model.predict(scene((100, 30)))
    np.testing.assert_allclose(pose.keypoints, [at(100, 30)], atol=0.6)
    assert detector.calls == 2


def test_reset_forgets_where_the_animals_were() -> None:
    detector = BlobDetector([(20, 30, 84, 94, 0.9)])
    model = TopDownModel(BlobNetwork(detector=detector), DetectionOptions(detect_every=100))
    model.predict(scene((20, 30)))
    model.reset()
    model.predict(scene((20, 30)))
    assert detector.calls == 2


def test_it_says_whether_it_remembers() -> None:
    options = [DetectionOptions(), DetectionOptions(detect_every=2), DetectionOptions(follow=FollowingBox())]
    assert [TopDownModel(BlobNetwork(), detection).remembers for detection in options] == [False, True, True]


def test_one_animal_is_followed_without_a_detector_and_searched_in_tiles_when_lost() -> None:
    network = BlobNetwork(ModelCard(**{**_fields(CARD), "individuals": ("a",), "multi_animal": False}))
    model = TopDownModel(network, DetectionOptions(follow=FollowingBox(tiles=(3, 2), overlap=70), margin=12))
    pose = model.predict(scene((200, 150)))
    np.testing.assert_allclose(pose.keypoints, [at(200, 150)], atol=1.2)
    assert [len(batch) for batch in network.batches] == [6, 1]  # the tiles, then once more around the animal
    followed = model.predict(scene((206, 146)))
    np.testing.assert_allclose(followed.keypoints, [at(206, 146)], atol=1.2)
    assert [len(batch) for batch in network.batches] == [6, 1, 1]
    lost = model.predict(scene())
    assert np.isnan(lost.xy).all()
    again = model.predict(scene((10, 10)))
    np.testing.assert_allclose(again.keypoints, [at(10, 10)], atol=1.2)
    assert [len(batch) for batch in network.batches] == [6, 1, 1, 1, 6, 1]


def _fields(card: ModelCard) -> dict[str, object]:
    return {name: getattr(card, name) for name in card.__slots__}


def test_the_callers_boxes_take_the_detectors_place() -> None:
    detector = BlobDetector([(0, 0, 64, 64, 0.9)])
    model = TopDownModel(BlobNetwork(detector=detector), DetectionOptions())
    pose = model.predict(scene((20, 30)), boxes=np.array([[20, 30, 84, 94]], np.float32))
    np.testing.assert_allclose(pose.keypoints, [at(20, 30)], atol=0.6)
    assert detector.calls == 0
    assert len(model.predict(scene(), boxes=np.zeros((0, 4), np.float32))) == 0


@pytest.mark.parametrize("boxes", [[1, 2, 3, 4], [[5, 5, 5, 9]], [[0, 0, np.nan, 4]], [[9, 0, 1, 4]], np.zeros((2, 3))])
def test_boxes_that_are_none(boxes: object) -> None:
    with pytest.raises(UsageError, match="x1, y1, x2, y2 in pixels"):
        TopDownModel(BlobNetwork(), DetectionOptions()).predict(scene(), boxes=np.asarray(boxes, np.float32))


def test_without_detector_and_without_following_it_says_what_to_do() -> None:
    with pytest.raises(
        UsageError, match=r"without a detector: give boxes with each image, follow one animal .*--follow"
    ):
        TopDownModel(BlobNetwork(), DetectionOptions()).predict(scene())


def test_a_card_without_the_size_of_the_crops_is_refused() -> None:
    with pytest.raises(ModelError, match="gives no crop size"):
        TopDownModel(BlobNetwork(CARD.with_(input_size=None)), DetectionOptions())


def test_closing_closes_the_detector() -> None:
    detector = BlobDetector()
    model = TopDownModel(BlobNetwork(detector=detector), DetectionOptions())
    model.predict(scene())
    model.close()
    model.close()
    assert detector.closed


def test_warming_up_runs_the_network_though_grey_shows_no_animal() -> None:
    network = BlobNetwork(detector=BlobDetector())
    TopDownModel(network, DetectionOptions()).warmup((240, 320, 3))
    # Twice each: what a runtime prepares for a shape that comes again, it prepares now.
    assert sorted(len(batch) for batch in network.batches) == [1, 1, 2, 2]


def test_tiles_cover_the_frame_and_share_the_overlap() -> None:
    boxes = tiles((480, 640, 3), (3, 2), 50)
    assert boxes[:, :4].tolist() == [
        [0, 0, 247, 265],
        [196, 0, 443, 265],
        [393, 0, 640, 265],
        [0, 215, 247, 480],
        [196, 215, 443, 480],
        [393, 215, 640, 480],
    ]


@pytest.mark.parametrize(
    "options",
    [{"detect_every": 0}, {"max_animals": 0}, {"min_score": 1.5}, {"threshold": -0.1}, {"margin": float("nan")}],
)
def test_options_that_cannot_be(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        DetectionOptions(**options)  # type: ignore[arg-type]


def test_a_pose_that_lost_its_animal_does_not_break_the_session() -> None:
    assert Pose(np.zeros((0, 3, 3), np.float32), CARD.skeleton).single().shape == (3, 3)
