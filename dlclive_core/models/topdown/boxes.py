"""Boxes around keypoints, and tiles of a frame."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dlclive_core.errors import UsageError

Box = tuple[float, float, float, float]


def check_boxes(boxes: object) -> NDArray[np.float32]:
    """The caller's boxes as (N, 5) float32, with NaN for missing scores. Raises UsageError if they are not valid boxes."""
    array = np.asarray(boxes, dtype=np.float32)
    if array.size == 0:
        return np.zeros((0, 5), np.float32)
    if array.ndim != 2 or array.shape[1] not in (4, 5):
        raise UsageError(
            f"boxes must be (N, 4): x1, y1, x2, y2 in pixels of the image; got an array of shape {array.shape}"
        )
    corners = array[:, :4]
    bad = ~(np.isfinite(corners).all(axis=1) & (corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1]))
    if bad.any():
        first = int(np.argmax(bad))
        raise UsageError(
            f"box {first} is {corners[first].tolist()}; a box is x1, y1, x2, y2 in pixels with x1 < x2 and y1 < y2"
        )
    scores = array[:, 4:] if array.shape[1] == 5 else np.full((len(array), 1), np.nan, np.float32)
    return np.concatenate([corners, scores], axis=1)


def box_around(
    keypoints: NDArray[np.float32],
    threshold: float,
    margin: float,
    shape: tuple[int, ...],
    min_size: tuple[int, int] = (1, 1),
) -> Box | None:
    """The box around the confident keypoints of one animal, clipped to the image.

    Args:
        keypoints: (K, 3).
        threshold: confidence from which a keypoint counts.
        margin: pixels around them.
        shape: of the image, height first.
        min_size: smallest (width, height) of the box, around the same centre, before clipping.

    Returns:
        x1, y1, x2, y2; None if no keypoint counts, or all are outside the image.
    """
    confident = keypoints[(keypoints[:, 2] >= threshold) & np.isfinite(keypoints[:, :2]).all(axis=1), :2]
    if not len(confident):
        return None
    low, high = confident.min(axis=0) - margin, confident.max(axis=0) + margin
    short = np.maximum(np.asarray(min_size) - (high - low), 0) / 2
    x1, y1 = np.maximum(low - short, 0)
    x2, y2 = np.minimum(high + short, (shape[1], shape[0]))
    return (float(x1), float(y1), float(x2), float(y2)) if x2 - x1 >= 1 and y2 - y1 >= 1 else None


def tiles(shape: tuple[int, ...], counts: tuple[int, int], overlap: int) -> NDArray[np.float32]:
    """(N, 5) boxes that cover an image of `shape` (height first), `counts` (across, down), neighbours overlapping."""
    across = _spans(shape[1], counts[0], overlap)
    down = _spans(shape[0], counts[1], overlap)
    return np.asarray([(x1, y1, x2, y2, np.nan) for y1, y2 in down for x1, x2 in across], np.float32)


def _spans(length: int, count: int, overlap: int) -> list[tuple[int, int]]:
    """`count` spans of equal length that cover 0..length and overlap by `overlap` or more."""
    size = min(length, math.ceil((length + (count - 1) * overlap) / count))
    steps = max(count - 1, 1)
    return [(first, first + size) for first in (round(index * (length - size) / steps) for index in range(count))]
