"""How a top-down model finds its boxes: from a detector, or from the poses of the last frame."""

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
    """Finds the boxes of a frame. May remember where the animals were."""

    def find(self, image: Image, predict: PredictBoxes) -> Pose:
        """Find the animals of the next (H, W, 3) uint8 RGB frame."""

    def reset(self) -> None:
        """Forget earlier frames."""


class Nowhere(Finder):
    """For models without a detector: every frame needs boxes from the caller."""

    def __init__(self, why: str) -> None:
        self._why = why

    def find(self, image: Image, predict: PredictBoxes) -> Pose:
        raise UsageError(self._why)

    def reset(self) -> None:
        """Nothing to forget."""


class DetectEvery(Finder):
    """Runs a detector on every n-th frame, and in between takes the boxes from the poses of the previous frame.

    An animal without a confident keypoint is dropped until the detector finds it again. If none is left, the detector runs on
    the next frame.
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
            boxes = self._detector.detect(image)
            wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
            # A detector clips its boxes to the frame, which can leave nothing of one.
            usable = (boxes[:, 4] >= self._detection.min_score) & (wide >= 1) & (high >= 1)
            self._boxes = boxes[usable][: self._animals]
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
    """Follows one animal in a box around its last position; searches tiles of the whole frame when it is lost.

    Every frame has one animal, the best candidate; its confidences tell how good it is.
    """

    def __init__(self, follow: FollowingBox, detection: DetectionOptions, *, margin: float) -> None:
        self._follow, self._detection, self._margin = follow, detection, margin
        self.reset()

    def reset(self) -> None:
        self._box: NDArray[np.float32] | None = None

    def find(self, image: Image, predict: PredictBoxes) -> Pose:
        if self._box is None:
            best = _most_confident(predict(image, tiles(image.shape, self._follow.tiles, self._follow.overlap)))
            self._remember(best, image.shape)
            if self._box is None:
                return best
            # A tile can cut the animal, and its scale differs from the training: predict again in a box of its own.
        pose = predict(image, self._box[None])
        self._remember(pose, image.shape)
        return pose

    def _remember(self, pose: Pose, shape: tuple[int, ...]) -> None:
        confident = int((pose.confidence >= self._detection.threshold).sum())
        box = box_around(pose.keypoints[0], self._detection.threshold, self._margin, shape, self._follow.min_size)
        enough = confident >= min(self._follow.min_keypoints, len(pose.skeleton))
        self._box = np.asarray((*box, np.nan), np.float32) if enough and box is not None else None


def _most_confident(pose: Pose) -> Pose:
    """The animal with the highest mean confidence."""
    best = int(pose.confidence.mean(axis=1).argmax())
    boxes = pose.boxes[best : best + 1] if pose.boxes is not None else None
    return Pose(pose.keypoints[best : best + 1], pose.skeleton, boxes=boxes)
