"""The frames that an exporter gets: for a top-down network, crops as the network sees them."""

from __future__ import annotations

import numpy as np
import pytest

from dlclive_core import Detector, Network, UnsupportedModelError, UsageError
from dlclive_core.export import choose_frames
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.conditional import ConditionalModel
from dlclive_core.models.detection import DetectionOptions
from dlclive_core.models.topdown import TopDownModel
from dlclive_core.testing import BlobModel, BlobSource

SHAPE = (60, 80)  # height, width


class Middle(Detector):
    """Finds one animal in the middle of each frame that has a bright pixel."""

    def detect(self, image: np.ndarray) -> np.ndarray:
        return np.array([[40, 30, 120, 90, 0.9]], np.float32)[: int(image.max() > 200)]


class Crops(Network):
    def __init__(self, detector: Detector | None = None, **card: object) -> None:
        self._blobs, self._detector = BlobModel(), detector
        self.card = self._blobs.card.with_(**{"method": "top-down", "input_size": SHAPE, **card})

    def run(self, images: np.ndarray, conditions: np.ndarray | None = None) -> dict[str, np.ndarray]:
        return {"keypoints": np.stack([self._blobs.predict(image).keypoints for image in images])}

    def detector(self) -> Detector | None:
        return self._detector


def frames(count: int, visible: float = 1.0) -> list[np.ndarray]:
    source = BlobSource(size=(160, 120), visible=visible)
    return [source.draw(index) for index in range(count)]


def test_crops_are_cut_where_the_detector_finds_animals() -> None:
    images = frames(40, visible=0.5)  # in five of ten frames
    chosen_frames = choose_frames(TopDownModel(Crops(Middle()), DetectionOptions()), images, None, calibrate=True)
    assert [image.shape for image in chosen_frames.compared] == [(120, 160, 3)] * 10
    others = [image for index, image in enumerate(images) if index % 4]
    assert len(chosen_frames.for_exporter) == sum(image.max() > 200 for image in others)
    for crop, image in zip(chosen_frames.for_exporter, (item for item in others if item.max() > 200), strict=True):
        np.testing.assert_array_equal(crop, image[30:90, 40:120])  # as large as the input: untouched


def test_without_a_detector_crops_are_tiles() -> None:
    chosen_frames = choose_frames(TopDownModel(Crops(), DetectionOptions()), frames(20), None, calibrate=True)
    assert [crop.shape for crop in chosen_frames.for_exporter] == [(*SHAPE, 3)] * 4 * 15


def test_without_calibration_frames_stay_whole() -> None:
    images = frames(5)
    chosen_frames = choose_frames(TopDownModel(Crops(Middle()), DetectionOptions()), images, None, calibrate=False)
    assert [len(chosen_frames.compared), len(chosen_frames.for_exporter)] == [5, 5]
    assert all(image.shape == (120, 160, 3) for image in chosen_frames.for_exporter)


def test_a_clip_without_an_animal_is_refused() -> None:
    with pytest.raises(UsageError, match="finds no animal in the clip"):
        choose_frames(TopDownModel(Crops(Middle()), DetectionOptions()), frames(20, visible=0), None, calibrate=True)


def test_a_detector_that_finds_nothing_is_reported() -> None:
    class Blind(Detector):
        def detect(self, image: np.ndarray) -> np.ndarray:
            return np.zeros((0, 5), np.float32)

    with pytest.raises(UsageError, match="the model's detector finds no animal in 15 frames of the clip"):
        choose_frames(TopDownModel(Crops(Blind()), DetectionOptions()), frames(20), None, calibrate=True)


def test_conditional_networks_cannot_be_calibrated() -> None:
    model = ConditionalModel(Crops(method="conditional"), None, DetectionOptions())
    with pytest.raises(UnsupportedModelError, match="takes keypoints besides images"):
        choose_frames(model, frames(20), None, calibrate=True)


class Whole(Crops):
    def __init__(self) -> None:
        super().__init__(method="bottom-up", input_size=None)


@pytest.mark.parametrize("size", [(160, 120), (128, 96), (161, 119), (32, 32), (1000, 8), (1, 1)])
def test_rendered_frames_are_of_any_size(size: tuple[int, int]) -> None:
    width, height = size
    chosen_frames = choose_frames(BottomUpModel(Whole()), None, size, calibrate=False)
    assert [image.shape for image in chosen_frames.compared] == [(height, width, 3)] * 5
    assert all(image.dtype == np.uint8 for image in chosen_frames.compared)


def test_a_small_rendered_frame_is_a_larger_one_shrunk() -> None:
    model = BottomUpModel(Whole())
    large = choose_frames(model, None, (192, 120), calibrate=False).compared[0]
    small = choose_frames(model, None, (96, 60), calibrate=False).compared[0]
    corner = large[:2, :2].reshape(4, 3).mean(axis=0)
    assert np.abs(small[0, 0] - corner).max() <= 0.5
