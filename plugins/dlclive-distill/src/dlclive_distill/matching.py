"""Which animal of one pose is which of another: the pairs whose keypoints are nearest to each other, all together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

LEAST = 0.1
"""Confidence from which a keypoint of the reference tells where its animal is."""
_FAR = 1e9  # px


def match_animals(
    found: NDArray[np.floating], reference: NDArray[np.floating], reach: float = math.inf
) -> NDArray[np.int64]:
    """The row of `found` for each animal of the reference, (A,); -1 for none.

    The distance of two animals is the median distance of the keypoints that the reference sees: a single keypoint that is
    somewhere else does not tear a pair apart.

    Args:
        found: (N, K, 2 or 3) x, y [px]; NaN for what is missing.
        reference: (A, K, 3) x, y [px], confidence.
        reach: animals that are farther apart are not the same, px.
    """
    match = np.full(len(reference), -1, np.int64)
    distance = animal_distances(found, reference)
    distance[~(distance <= min(reach, _FAR))] = _FAR
    if distance.size:
        for row, other in zip(*linear_sum_assignment(distance), strict=True):
            if distance[row, other] < _FAR:
                match[row] = other
    return match


def animal_distances(found: NDArray[np.floating], reference: NDArray[np.floating]) -> NDArray[np.float64]:
    """(A, N) px from each animal of the reference to each that was found; infinite where they cannot be compared."""
    seen = (reference[..., 2] >= LEAST) & np.isfinite(reference[..., :2]).all(-1)
    apart = np.linalg.norm(reference[:, None, :, :2].astype(np.float64) - found[None, :, :, :2], axis=-1)
    result = np.full(apart.shape[:2], np.inf)
    for row, other in np.ndindex(*result.shape):
        values = apart[row, other][seen[row] & np.isfinite(apart[row, other])]
        if len(values):
            result[row, other] = np.median(values)
    return result


def aligned(found: NDArray[np.floating], reference: NDArray[np.floating], reach: float) -> NDArray[np.float32]:
    """(A, K, 3): for each animal of the reference (A, K, 3), the one of `found` that is it; NaN, NaN, 0 for none."""
    match = match_animals(found, reference, reach)
    result = np.full(reference.shape, np.nan, np.float32)
    result[..., 2] = 0
    there = match >= 0
    result[there] = found[match[there]]
    return result


def reach_of(keypoints: NDArray[np.floating], least: float) -> float:
    """Half the length of a typical animal, px: what is farther from an animal is another one.

    Args:
        keypoints: (..., K, 3) of the teacher.
        least: confidence from which a keypoint belongs to the animal.
    """
    believed = (keypoints[..., 2] >= least) & np.isfinite(keypoints[..., :2]).all(-1)
    points = np.where(believed[..., None], keypoints[..., :2], np.nan)[believed.sum(-1) >= 2]
    if not len(points):
        return math.inf
    extent = np.nanmax(points, axis=1) - np.nanmin(points, axis=1)
    return float(np.median(np.hypot(extent[:, 0], extent[:, 1]))) / 2
