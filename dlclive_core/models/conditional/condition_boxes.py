"""What a condition says to a conditional network: which box it looks at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_CONFIDENCE = 0.05
"""A condition whose surest keypoint is below this is none."""


def condition_boxes(
    conditions: NDArray[np.floating], margin: float, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The boxes that a conditional network looks at, as DeepLabCut takes them.

    A box goes around the keypoints whose confidence is above 0, with a margin, and ends at the edges of the image. It is
    not rounded. A keypoint outside the image counts as well.

    Args:
        conditions: (N, K, 3) x, y in pixels of the image, confidence; not found: NaN, NaN, 0.
        margin: pixels on each side.
        shape: of the image, height first.

    Returns:
        (N, 4) x1, y1, x2, y2, and which of them are boxes (N,): those of a surest keypoint of 0.05 or more, with an area of
        a pixel or more. The others are 0, 0, 0, 0.
    """
    boxes = np.zeros((len(conditions), 4))
    for box, keypoints in zip(boxes, np.asarray(conditions, np.float64), strict=True):
        there = keypoints[(keypoints[:, 2] > 0) & np.isfinite(keypoints).all(axis=1)]
        if len(there) and there[:, 2].max() >= MIN_CONFIDENCE:
            box[:2] = there[:, :2].min(axis=0) - margin
            box[2:] = there[:, :2].max(axis=0) + margin
    boxes[:, [0, 2]] = boxes[:, [0, 2]].clip(0, shape[1])
    boxes[:, [1, 3]] = boxes[:, [1, 3]].clip(0, shape[0])
    usable = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) >= 1
    boxes[~usable] = 0
    return boxes, usable
