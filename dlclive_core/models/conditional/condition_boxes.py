"""The boxes in which a conditional network refines its conditions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_CONFIDENCE = 0.05
"""A condition needs at least one keypoint of this confidence."""


def condition_boxes(
    conditions: NDArray[np.floating], margin: float, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The boxes around conditions, as DeepLabCut computes them.

    A box encloses the keypoints with a confidence above 0, plus a margin, clipped to the image and not rounded. Keypoints
    outside the image count as well.

    Args:
        conditions: (N, K, 3) x, y in pixels of the image, confidence; not found: NaN, NaN, 0.
        margin: pixels on each side.
        shape: of the image, height first.

    Returns:
        (N, 4) x1, y1, x2, y2, and which of them are usable (N,): those with a keypoint of confidence 0.05 or more and an area
        of at least one pixel. The others are 0, 0, 0, 0.
    """
    boxes = np.zeros((len(conditions), 4))
    for box, keypoints in zip(boxes, np.asarray(conditions, np.float64), strict=True):
        visible = keypoints[(keypoints[:, 2] > 0) & np.isfinite(keypoints).all(axis=1)]
        if len(visible) and visible[:, 2].max() >= MIN_CONFIDENCE:
            box[:2] = visible[:, :2].min(axis=0) - margin
            box[2:] = visible[:, :2].max(axis=0) + margin
    boxes[:, [0, 2]] = boxes[:, [0, 2]].clip(0, shape[1])
    boxes[:, [1, 3]] = boxes[:, [1, 3]].clip(0, shape[0])
    usable = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) >= 1
    boxes[~usable] = 0
    return boxes, usable
