"""Where a top-down model looks: where its detector found animals, or where they were in the last frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.pose import Pose
from dlclive_core.errors import UsageError
from dlclive_core.models.detection import DetectionOptions, FollowingBox
from dlclive_core.models.network import Detector
from dlclive_core.models.topdown.boxes import box_around, tiles

Image = NDArray[np.uint8]
PredictBoxes = Callable[[Image, NDArray[np.float32]], Pose]
"""Poses of the animals in (N, 5) boxes of an image, in the boxes' order."""


class Finder(Protocol):
    """Decides where to look. May remember where animals were."""

    def find(self, image: Image, predict: PredictBoxes) -> Pose:
        """Find the animals of the next (H, W, 3) uint8 RGB frame."""

    def reset(self) -> None:
        """Forget what was seen."""


class Nowhere(Finder):
    """For models without a detector that are told nothing: every frame needs boxes."""

    def __init__(self, why: str) -> None:
        self._why = why

    def find(self, image: Image, predict: PredictBoxes) -> Pose:
        raise UsageError(self._why)

    def reset(self) -> None:
        """Nothing to forget."""


class DetectEvery(Finder):
    """Asks a detector in every n-th frame, and in between looks where the animals were in the frame before.

    An animal with no sure keypoint is not looked for again before the detector finds it. When none is left, the detector
    is asked in the next frame.
    """

    def __init__(self, detector: Detector, detection: DetectionOptions, *, animals: int, margin: float) -> None:
        self._detector, self._detection = detector, detection
        self._animals, self._margin = animals, margin
        self.reset()

    def reset(self) -> None:
        self._boxes = np.zeros((0, 5), np.float32)
        self._since = 0

    def find(self, image: Image, predict: PredictBoxes) -> Pose:
        if self._since % self._detection.detect_every == 0 or not len(self._boxes):
            found = self._detector.detect(image)
            wide, high = found[:, 2] - found[:, 0], found[:, 3] - found[:, 1]
            # A detector cuts its boxes at the frame's edges, which can leave nothing of one.
            there = (found[:, 4] >= self._detection.min_score) & (wide >= 1) & (high >= 1)
            self._boxes = found[there][: self._animals]
            self._since = 0
        self._since += 1
        pose = predict(image, self._boxes)
        if self._detection.detect_every > 1:
            self._boxes = self._next_boxes(pose, image.shape)
        return pose

    def _next_boxes(self, pose: Pose, shape: tuple[int, ...]) -> NDArray[np.float32]:
        scores = self._boxes[:, 4]
        boxes = [
            (*box, score)
            for keypoints, score in zip(pose.keypoints, scores, strict=True)
            if (box := box_around(keypoints, self._detection.threshold, self._margin, shape)) is not None
        ]
        return np.asarray(boxes, np.float32).reshape(-1, 5)


class FollowingBoxFinder(Finder):
    """Follows one animal: looks around where it was, and through tiles of the whole frame when it is lost.

    A frame always has one animal, the best that was found; how sure it is, its confidences say.
    """

    def __init__(self, follow: FollowingBox, detection: DetectionOptions, *, margin: float) -> None:
        self._follow, self._detection, self._margin = follow, detection, margin
        self.reset()

    def reset(self) -> None:
        self._box: NDArray[np.float32] | None = None

    def find(self, image: Image, predict: PredictBoxes) -> Pose:
        if self._box is None:
            found = _surest(predict(image, tiles(image.shape, self._follow.tiles, self._follow.overlap)))
            self._remember(found, image.shape)
            if self._box is None:
                return found
            # A tile can cut the animal, and shows it at another scale than the network was trained on: look again.
        pose = predict(image, self._box[None])
        self._remember(pose, image.shape)
        return pose

    def _remember(self, pose: Pose, shape: tuple[int, ...]) -> None:
        sure = int((pose.confidence >= self._detection.threshold).sum())
        box = box_around(pose.keypoints[0], self._detection.threshold, self._margin, shape, self._follow.min_size)
        enough = sure >= min(self._follow.min_keypoints, len(pose.skeleton))
        self._box = np.asarray((*box, np.nan), np.float32) if enough and box is not None else None


def _surest(pose: Pose) -> Pose:
    """The animal with the highest mean confidence, alone."""
    best = int(pose.confidence.mean(axis=1).argmax())
    boxes = pose.boxes[best : best + 1] if pose.boxes is not None else None
    return Pose(pose.keypoints[best : best + 1], pose.skeleton, boxes=boxes)
