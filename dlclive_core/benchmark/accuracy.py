"""How far a candidate's poses are from those of the reference, on the same frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.pose import Pose
from dlclive_core.export.parity import CONFIDENT
from dlclive_core.models.assembly.assignment import assign

FLIP_PX = 5.0
"""A keypoint that is farther from the reference's than this is no longer imprecise, it is at another place."""

_FAR = 1e6  # pixels that stand for "not found" while animals are matched


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Distances in pixels of the frame, over the keypoints of which the reference is confident (0.6 or more).

    A keypoint that the candidate did not find is infinitely far. Animals without names are matched so that the sum of
    distances is the least.

    Attributes:
        keypoints: how many were compared. With none, all numbers are NaN: nothing is known.
        median_px, p95_px, p99_px, max_px: the median, the 95th and 99th percentile, and the largest distance.
        flips: how many are farther than 5 px away.
    """

    keypoints: int
    median_px: float
    p95_px: float
    p99_px: float
    max_px: float
    flips: int


def compare_poses(reference: Sequence[Pose], found: Sequence[Pose]) -> Accuracy:
    """Compare the poses of the same frames, both in pixels of the frame.

    Args:
        reference: of the network in fp32 on whole frames.
        found: as many.
    """
    if len(reference) != len(found):
        raise ValueError(f"{len(found)} poses cannot be compared with {len(reference)}")
    parts = [distances(wanted, given) for wanted, given in zip(reference, found, strict=True)]
    away = np.concatenate(parts) if parts else np.empty(0)
    if not len(away):
        nan = float("nan")
        return Accuracy(0, nan, nan, nan, nan, 0)
    median, p95, p99, largest = (float(np.quantile(away, share, method="higher")) for share in (0.5, 0.95, 0.99, 1.0))
    return Accuracy(len(away), median, p95, p99, largest, int((away > FLIP_PX).sum()))


def distances(reference: Pose, found: Pose) -> NDArray[np.float64]:
    """(M,) pixels between the keypoints of two poses of one frame, for the M of which the reference is confident."""
    wanted, given = reference.keypoints.astype(float), found.keypoints.astype(float)
    apart = np.hypot(*(wanted[:, None, :, axis] - given[None, :, :, axis] for axis in (0, 1)))  # (N, found, K)
    apart = np.where(np.isfinite(apart), apart, np.inf)
    sure = wanted[..., 2] >= CONFIDENT
    match = _match(reference, found, apart, sure)
    rows = [apart[row, other] if other >= 0 else np.full(apart.shape[2], np.inf) for row, other in enumerate(match)]
    parts = [np.stack(rows)[sure]] if rows else []
    if reference.unique is not None:
        sure_unique = reference.unique[:, 2] >= CONFIDENT
        there = np.full_like(reference.unique, np.nan) if found.unique is None else found.unique
        away = np.hypot(*(reference.unique[:, axis].astype(float) - there[:, axis] for axis in (0, 1)))
        parts.append(np.where(np.isfinite(away), away, np.inf)[sure_unique])
    return np.concatenate(parts) if parts else np.empty(0)


def _match(
    reference: Pose, found: Pose, apart: NDArray[np.float64], sure: NDArray[np.bool_]
) -> NDArray[np.intp] | list[int]:
    """Which animal of `found` is which of the reference; -1 for none."""
    if reference.ids is not None and found.ids is not None:
        return [found.ids.index(name) if name in found.ids else -1 for name in reference.ids]
    if len(reference) == len(found) == 1:
        return [0]
    if not len(reference) or not len(found):
        return [-1] * len(reference)
    cost = np.where(sure[:, None, :], np.minimum(apart, _FAR), 0.0).sum(axis=2)
    return assign(-cost[None], np.array([len(reference)]), np.array([len(found)]))[0]
