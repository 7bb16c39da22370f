"""Differences from DeepLabCut's results in pixels and confidence, after matching the animals."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass
class Difference:
    """The largest differences so far.

    Attributes:
        px: between keypoints, in pixels.
        confidence: between confidences.
        boxes_px: between the corners of boxes, in pixels.
        whole_px: between keypoints of the full pipeline with detector, in pixels.
        unnamed: frames whose animals were compared without their names, because some were absent.
    """

    px: float = 0.0
    confidence: float = 0.0
    boxes_px: float | None = None
    whole_px: float | None = None
    unnamed: int = 0

    def add(self, expected: Array, actual: Array, *, ordered: bool) -> None:
        """Compare (N, K, 3) poses; unless `ordered`, in the order of animals that fits best."""
        px, confidence = distance(expected, actual) if ordered else matched(expected, actual)
        self.px, self.confidence = max(self.px, px), max(self.confidence, confidence)


def distance(expected: Array, actual: Array) -> tuple[float, float]:
    """The largest distance of keypoints and of confidences; infinite if a keypoint is present on one side only."""
    if expected.shape != actual.shape:
        return np.inf, np.inf
    present = np.isfinite(expected[..., 0])
    if (np.isfinite(actual[..., 0]) != present).any():
        return np.inf, np.inf
    px = np.linalg.norm((expected[..., :2].astype(float) - actual[..., :2])[present], axis=-1).max(initial=0.0)
    return float(px), float(np.abs(expected[..., 2] - actual[..., 2]).max(initial=0.0))


def matched(expected: Array, actual: Array) -> tuple[float, float]:
    """The same as `distance`, for the order of animals that fits best."""
    if expected.shape != actual.shape:
        return np.inf, np.inf
    orders = itertools.permutations(range(len(actual)))
    return min(distance(expected, actual[list(order)]) for order in orders)


def nearest_boxes(expected: Array, actual: Array) -> float:
    """The largest distance of the corners of a box (N, 5) from those of the nearest actual box, in pixels.

    Boxes match only if their scores differ by less than 0.01.
    """
    worst = 0.0
    for box in expected:
        candidates = actual[np.abs(actual[:, 4] - box[4]) < 0.01, :4]
        worst = max(worst, float(np.abs(candidates - box[:4]).max(axis=1).min(initial=np.inf)))
    return worst
