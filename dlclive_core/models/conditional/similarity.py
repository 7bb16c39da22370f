"""How similar two poses are, and which of several are the same animal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGMA = 0.1
"""How precisely a keypoint can be placed, relative to the size of the animal."""

MARGIN = 1.0
"""Added to all sides of an animal, so that its size is never 0."""


def similarity(pose: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Object keypoint similarity (OKS) of a pose to a reference, 0..1.

    Ruggero Ronchi and Perona 2017, "Benchmarking and error diagnosis in multi-instance pose estimation": the mean over
    the reference's keypoints of exp(-d^2 / (2 s^2 k^2)), d the distance, s^2 the size of the reference, k = 2 SIGMA.
    The size is the product of the extents of its keypoints, a margin of 1 on all sides.

    Args:
        pose: (K, D); keypoints with NaN are not found and count as far away.
        reference: (K, D); keypoints with NaN do not count. Fewer than two that count are similar to nothing.
    """
    counted = np.isfinite(reference).all(axis=1)
    if counted.sum() < 2:
        return 0.0
    places = np.asarray(reference[counted], np.float64)
    size = np.prod(places.max(axis=0) - places.min(axis=0) + 2 * MARGIN)
    distance = ((np.asarray(pose[counted], np.float64) - places) ** 2).sum(axis=1)
    return float(np.nan_to_num(np.exp(-distance / (2 * size * (2 * SIGMA) ** 2))).mean())


def distinct(poses: NDArray[np.floating], order: Sequence[int], threshold: float) -> list[int]:
    """Which poses remain when those that are as similar as `threshold` to an earlier one are left out.

    As in DeepLabCut the confidence is a third coordinate of each keypoint here. It hardly changes distances, but the size
    of an animal is two or three times as large.

    Args:
        poses: (N, K, 3) x, y [px], confidence; keypoints that do not count are NaN.
        order: indices of poses; of two similar ones the first remains.

    Returns:
        The indices that remain, in that order.
    """
    kept: list[int] = []
    for index in order:
        if all(similarity(poses[other], poses[index]) < threshold for other in kept):
            kept.append(index)
    return kept
