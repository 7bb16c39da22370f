"""Distances of a candidate's poses from those of the reference, on the same frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.pose import Pose
from dlclive_core.export.parity import CONFIDENT
from dlclive_core.models.assembly.assignment import assign

FLIP_PX = 5.0
"""A keypoint farther from the reference's than this is in the wrong place rather than imprecise."""

_FAR = 1e6  # pixels: the distance of a missing keypoint when animals are matched


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Distances in frame pixels over the confident keypoints of the reference (confidence 0.6 or more).

    A keypoint that the candidate did not find is infinitely far. Animals without identities are matched to minimise the sum
    of distances.

    Attributes:
        keypoints: number of keypoints compared; with none, all distances are NaN.
        median_px, p95_px, p99_px, max_px: the median, the 95th and 99th percentile, and the largest distance.
        flips: number of keypoints that are more than 5 px away.
    """

    keypoints: int
    median_px: float
    p95_px: float
    p99_px: float
    max_px: float
    flips: int


def compare_poses(reference: Sequence[Pose], candidate: Sequence[Pose]) -> Accuracy:
    """Compare the poses of the same frames, both in frame pixels.

    Args:
        reference: poses of the network in fp32 on whole frames.
        candidate: poses to compare, one for each of the reference.
    """
    if len(reference) != len(candidate):
        raise ValueError(f"{len(candidate)} poses cannot be compared with {len(reference)}")
    parts = [distances(expected, actual) for expected, actual in zip(reference, candidate, strict=True)]
    distance = np.concatenate(parts) if parts else np.empty(0)
    if not len(distance):
        nan = float("nan")
        return Accuracy(0, nan, nan, nan, nan, 0)
    median, p95, p99, largest = (float(np.quantile(distance, q, method="higher")) for q in (0.5, 0.95, 0.99, 1.0))
    return Accuracy(len(distance), median, p95, p99, largest, int((distance > FLIP_PX).sum()))


def distances(reference: Pose, candidate: Pose) -> NDArray[np.float64]:
    """(M,) pixels between two poses of one frame, over the M confident keypoints of the reference."""
    expected, actual = reference.keypoints.astype(float), candidate.keypoints.astype(float)
    distance = np.hypot(
        *(expected[:, None, :, axis] - actual[None, :, :, axis] for axis in (0, 1))
    )  # (N, candidate's N, K)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    confident = expected[..., 2] >= CONFIDENT
    match = _match(reference, candidate, distance, confident)
    missing = np.full(distance.shape[2], np.inf)
    rows = [distance[row, other] if other >= 0 else missing for row, other in enumerate(match)]
    parts = [np.stack(rows)[confident]] if rows else []
    if reference.unique is not None:
        confident_unique = reference.unique[:, 2] >= CONFIDENT
        unique = np.full_like(reference.unique, np.nan) if candidate.unique is None else candidate.unique
        unique_distance = np.hypot(*(reference.unique[:, axis].astype(float) - unique[:, axis] for axis in (0, 1)))
        parts.append(np.where(np.isfinite(unique_distance), unique_distance, np.inf)[confident_unique])
    return np.concatenate(parts) if parts else np.empty(0)


def _match(
    reference: Pose, candidate: Pose, distance: NDArray[np.float64], confident: NDArray[np.bool_]
) -> NDArray[np.intp] | list[int]:
    """The index of the candidate's animal for each animal of the reference; -1 for none."""
    if reference.ids is not None and candidate.ids is not None:
        return [candidate.ids.index(name) if name in candidate.ids else -1 for name in reference.ids]
    if len(reference) == len(candidate) == 1:
        return [0]
    if not len(reference) or not len(candidate):
        return [-1] * len(reference)
    cost = np.where(confident[:, None, :], np.minimum(distance, _FAR), 0.0).sum(axis=2)
    return assign(-cost[None], np.array([len(reference)]), np.array([len(candidate)]))[0]
