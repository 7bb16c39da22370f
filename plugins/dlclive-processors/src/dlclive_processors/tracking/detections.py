"""The rows of a pose that are animals, as points that can be compared with tracks.

A point is one complex number, x + iy in px: a distance, a shift or a mean is then one array operation, not two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Pose

Points = NDArray[np.complex128]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]

LOOKED_AT = 0.1
"""A keypoint of a lower confidence is not looked at: DeepLabCut's own networks report one in every empty image."""
BEGINS_WITH = 1 / 3
"""The share of the keypoints that must be confident in a row that begins a track; the others are pieces of animals."""
FARTHEST = 1e6  # px: larger than any image, so a position beyond it (or infinite) is invalid
SMALLEST = 10.0
"""px: no animal counts as smaller, or two keypoints that happen to lie close together would match nothing."""
WITHOUT_EXTENT = 40.0
"""px: the size of an animal that is one point."""


@dataclass(frozen=True, slots=True)
class Detections:
    """D animals of one frame.

    Attributes:
        rows: (D,) their rows in the pose.
        points: (D, P) complex px; 0 where not seen.
        seen: (D, P) 1 where a point was seen, else 0.
        counts: (D,) seen points; at least 1.
        centres: (D,) complex px, the mean of the seen points.
        areas: (D,) px^2, the square of each animal's size.
        sure: (D,) whether it may begin a track.
        is_complete: whether all points of all animals were seen, which saves some of the work.
    """

    rows: Places
    points: Points
    seen: Floats
    counts: Floats
    centres: Points
    areas: Floats
    sure: NDArray[np.bool_]
    is_complete: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: Places | NDArray[np.bool_]) -> Detections:
        """Some of them."""
        return Detections(
            self.rows[which],
            self.points[which],
            self.seen[which],
            self.counts[which],
            self.centres[which],
            self.areas[which],
            self.sure[which],
            self.is_complete,
        )


class DetectionFinder:
    """Finds the animals among the rows of a pose.

    The size of an animal is that of its keypoints, and does not change when it turns: six times their variance around
    their mean, s^2 = 6 mean |z - mean z|^2. For points spread evenly over a w x h rectangle that is (w^2 + h^2) / 2: the area
    of a square, and more than the area of a long, thin animal, whose bounding box has no area when it lies along an axis.

    Args:
        boxes: whether an animal is the two corners of its box: of `Pose.boxes`, or around its keypoints. The size is then the
            root of the box's area. Otherwise, it is its keypoints.
        min_confidence: a keypoint at or above it is confident.
        size: px, of every animal; None: from its points.
    """

    def __init__(self, *, boxes: bool, min_confidence: float, size: float | None) -> None:
        self._boxes = boxes
        self._min_confidence = min_confidence
        self._area = None if size is None else size * size

    def find(self, pose: Pose, most: int) -> Detections:
        """The animals of a pose.

        Args:
            most: if there are more, those with the highest mean confidence remain, in the order of their rows.
        """
        confidence = pose.keypoints[..., 2]
        points: Points = pose.keypoints[..., :2].astype(np.float64, order="C").view(np.complex128)[..., 0]
        lengths = squares(points)
        seen = (lengths < FARTHEST**2) & (confidence >= LOOKED_AT)
        is_complete = np.count_nonzero(seen) == seen.size
        rows: Places = np.arange(len(seen)) if is_complete else np.logical_or.reduce(seen, axis=1).nonzero()[0]
        if len(rows) > most:
            scores = strengths(pose)[rows]
            rows = np.sort(rows[np.argsort(-scores, kind="stable")[:most]])
        if len(rows) < len(seen):
            points, lengths, seen, confidence = points[rows], lengths[rows], seen[rows], confidence[rows]
        confident = confidence >= self._min_confidence
        if not is_complete:
            points[~seen] = lengths[~seen] = 0.0
            confident &= seen
        sure = np.add.reduce(confident, axis=1, dtype=np.intp) >= max(1.0, BEGINS_WITH * seen.shape[1])
        if self._boxes:
            points, seen = _corners(points, seen, None if pose.boxes is None else pose.boxes[rows])
        return self._measured(rows, points, lengths, seen, sure)

    def _measured(
        self, rows: Places, points: Points, lengths: Floats, seen: NDArray[np.bool_], sure: NDArray[np.bool_]
    ) -> Detections:
        """`lengths` are the squares of the points, of use where they are keypoints."""
        weights = seen.astype(np.float64)
        counts = np.add.reduce(weights, axis=1)
        is_complete = np.count_nonzero(seen) == seen.size
        centres = np.add.reduce(points, axis=1) / counts
        if self._area is not None:
            areas = np.full(len(rows), self._area)
        elif self._boxes:
            diagonals = points[:, 1] - points[:, 0]
            areas = np.maximum(diagonals.real * diagonals.imag, SMALLEST**2)
        elif points.shape[1] == 1:
            areas = np.full(len(rows), WITHOUT_EXTENT**2)
        else:
            spread = np.add.reduce(lengths, axis=1) / counts - squares(centres)
            areas = np.maximum(6.0 * spread, SMALLEST**2)
        return Detections(rows, points, weights, counts, centres, areas, sure, is_complete)


def strengths(pose: Pose) -> Floats:
    """(N,) the mean confidence of each row's keypoints, 0 for those that are missing."""
    confidence = np.nan_to_num(pose.keypoints[..., 2].astype(np.float64), nan=0.0, posinf=1.0, neginf=0.0)
    means: Floats = confidence.clip(0.0, 1.0).mean(axis=1)
    return means


def squares(points: Points) -> Floats:
    """|z|^2, without the square root that `abs` takes."""
    parts = np.square(points.view(np.float64))  # x, y, x, y, ...: contiguous, unlike `real` and `imag`
    lengths: Floats = parts[..., ::2] + parts[..., 1::2]
    return lengths


def _corners(
    points: Points, seen: NDArray[np.bool_], boxes: NDArray[np.float32] | None
) -> tuple[Points, NDArray[np.bool_]]:
    """(D, 2) the top left and bottom right corners, both seen."""
    corners = np.empty((len(points), 2), dtype=np.complex128)
    for values, ends in ((points.real, corners.real), (points.imag, corners.imag)):
        ends[:, 0] = np.where(seen, values, np.inf).min(axis=1)
        ends[:, 1] = np.where(seen, values, -np.inf).max(axis=1)
    if boxes is not None:
        given = boxes[:, :4].astype(np.float64)
        ordered = (given[:, 2] > given[:, 0]) & (given[:, 3] > given[:, 1])
        usable = (np.abs(given) < FARTHEST).all(axis=1) & ordered
        corners.real[usable], corners.imag[usable] = given[usable][:, [0, 2]], given[usable][:, [1, 3]]
    return corners, np.ones(corners.shape, dtype=bool)
