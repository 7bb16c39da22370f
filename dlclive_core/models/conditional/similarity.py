"""Similarity of poses, and removal of duplicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGMA = 0.1
"""Labelling precision of a keypoint, relative to the size of the animal."""

MARGIN = 1.0
"""Added to all sides of an animal, so that its size is never 0."""


def similarity(pose: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Object keypoint similarity (OKS) of a pose to a reference, 0..1.

    Ruggero Ronchi and Perona 2017, "Benchmarking and error diagnosis in multi-instance pose estimation": the mean over
    the reference's keypoints of exp(-d^2 / (2 s^2 k^2)), d the distance, s^2 the size of the reference, k = 2 SIGMA.
    The size is the product of the extents of its keypoints, a margin of 1 on all sides.

    Args:
        pose: (K, D); keypoints with NaN were not found and count as infinitely far away.
        reference: (K, D); keypoints with NaN do not count. With fewer than two that count, the similarity is 0.
    """
    counted = np.isfinite(reference).all(axis=1)
    if counted.sum() < 2:
        return 0.0
    points = np.asarray(reference[counted], np.float64)
    size = np.prod(points.max(axis=0) - points.min(axis=0) + 2 * MARGIN)
    distance = ((np.asarray(pose[counted], np.float64) - points) ** 2).sum(axis=1)
    return float(np.nan_to_num(np.exp(-distance / (2 * size * (2 * SIGMA) ** 2))).mean())


def distinct(poses: NDArray[np.floating], order: Sequence[int], threshold: float) -> list[int]:
    """The poses that remain without those whose similarity to an earlier one is `threshold` or more.

    As in DeepLabCut the confidence is a third coordinate of each keypoint here. It hardly changes distances, but makes
    an animal two or three times as large.

    Args:
        poses: (N, K, 3) x, y [px], confidence; keypoints that do not count are NaN.
        order: indices of poses; of two similar ones, the first remains.

    Returns:
        The indices that remain, in that order.
    """
    kept: list[int] = []
    for index in order:
        if all(similarity(poses[other], poses[index]) < threshold for other in kept):
            kept.append(index)
    return kept
