"""Models that process each animal in a crop of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel
from dlclive_core.data.frame import as_rgb, check_image
from dlclive_core.data.pose import Pose
from dlclive_core.errors import ModelError
from dlclive_core.models.detection import DetectionOptions
from dlclive_core.models.network import Detector, Network
from dlclive_core.models.output_shapes import keypoints_of
from dlclive_core.models.topdown.boxes import check_boxes
from dlclive_core.models.topdown.crops import CropRules, cut_boxes
from dlclive_core.models.topdown.finders import DetectEvery, Finder, FollowingBoxFinder, Nowhere

_MARGIN = 20.0
"""Pixels around the keypoints in the boxes that DeepLabCut trains a network on."""


class TopDownModel(PoseModel):
    """A network that finds one animal's keypoints in a crop, with a finder for the crops: a detector, or the last frame.

    All crops of a frame run as one batch. A frame without an animal gives a pose with N = 0. The detector is loaded for the
    first frame without boxes, or at warm-up, so a caller who supplies boxes needs none.
    """

    def __init__(self, network: Network, detection: DetectionOptions) -> None:
        card = network.card
        if card.input_size is None:
            raise ModelError(
                f"{card.net_type} is a top-down network, but its configuration gives no crop size: export it again"
            )
        self.network = network
        self.card, self.runtime, self.device = card, network.runtime, network.device
        self.remembers = detection.follow is not None or detection.detect_every > 1
        self._detection = detection
        self._rules = CropRules(shape=card.input_size, margin=card.crop_margin, context=card.crop_context)
        self._animals = detection.max_animals or len(card.individuals)
        self._detector: Detector | None = None
        self._loaded_detector = False
        self._finder: Finder | None = None

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        """Find the animals in an image, or in the caller's boxes; see PoseModel.predict."""
        rgb = as_rgb(check_image(image))
        if boxes is not None:
            return self._predict_boxes(rgb, check_boxes(boxes))
        if self._finder is None:
            self._finder = self._make_finder()
        return self._finder.find(rgb, self._predict_boxes)

    def warmup(self, shape: tuple[int, ...]) -> None:
        """Run the detector and the network, even if the detector finds nothing in a grey image."""
        super().warmup(shape)
        self.reset()
        whole = np.array([[0, 0, shape[1], shape[0], np.nan]], np.float32)
        for count in (1, 1, self._animals, self._animals):  # twice: some runtimes optimise for a shape when it repeats
            self._predict_boxes(as_rgb(np.full(shape, 127, np.uint8)), np.repeat(whole, count, axis=0))

    def reset(self) -> None:
        """Forget where the animals were."""
        if self._finder is not None:
            self._finder.reset()

    def close(self) -> None:
        """Close detector and network."""
        self._finder = None
        if self._detector is not None:
            self._detector.close()
            self._detector = None
        self.network.close()

    def detector(self) -> Detector | None:
        """The detector, loaded on first use; None if the model has none. The model closes it."""
        if not self._loaded_detector:
            self._detector = self.network.detector()
            self._loaded_detector = True
        return self._detector

    def _predict_boxes(self, image: NDArray[np.uint8], boxes: NDArray[np.float32]) -> Pose:
        """The poses in (N, 5) boxes, in their order."""
        if not len(boxes):
            return Pose(np.zeros((0, len(self.card.skeleton), 3), np.float32), self.card.skeleton, boxes=boxes)
        crops, transforms = cut_boxes(image, boxes, self._rules)
        inner = keypoints_of(self.card, self.network.run(crops))[:, 0]
        keypoints = np.stack([crop.to_outer(points) for crop, points in zip(transforms, inner, strict=True)])
        return Pose(keypoints, self.card.skeleton, boxes=boxes)

    def _make_finder(self) -> Finder:
        margin = _MARGIN if self._detection.margin is None else self._detection.margin
        if self._detection.follow is not None:
            return FollowingBoxFinder(self._detection.follow, self._detection, margin=margin)
        detector = self.detector()
        if detector is None:
            return Nowhere(
                f"{self.card.net_type} is a top-down network without a detector: give boxes with each image, "
                "follow one animal (follow=True, on the command line --follow), or export the model with its detector"
            )
        return DetectEvery(detector, self._detection, animals=self._animals, margin=margin)
