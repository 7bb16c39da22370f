"""Which animal of the student is which of the teacher, what is lost and hallucinated, and who is who in successive frames."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlclive_distill.matching import match_animals


class Comparison(NamedTuple):
    """A student's poses beside its teacher's.

    Attributes:
        student: (F, A, K, 3): for each animal of the teacher, the student's; NaN, NaN, 0 where it has none.
        lost: share of what the teacher is sure of that the student has not: of keypoints for one animal, else of animals.
        hallucinated: share of keypoints that the teacher does not see of which the student is sure; of several animals, the
            share of the student's that are not the teacher's. NaN if there are none.
    """

    student: NDArray[np.float32]
    lost: float
    hallucinated: float


def compare_one(student: NDArray[np.float32], taught: NDArray[np.float32], *, sure: float, blind: float) -> Comparison:
    """Compare poses (F, 1, K, 3): they are of the same animal, however far apart.

    Args:
        sure: confidence from which a network is sure of a keypoint.
        blind: confidence below which the teacher does not see it.
    """
    student_sure = student[..., 2] >= sure
    lost, hallucinated = ~student_sure[taught[..., 2] >= sure], student_sure[taught[..., 2] < blind]
    return Comparison(student, _mean(lost), _mean(hallucinated))


def compare_animals(
    student: NDArray[np.float32], taught: NDArray[np.float32], reach: float, *, sure: float, blind: float
) -> Comparison:
    """Match animals in each frame.

    An animal counts if its network is sure of a keypoint. One of the student that is near an animal of which the teacher is not
    sure is not hallucinated.

    Args:
        student: (F, N, K, 3).
        taught: (F, A, K, 3).
        reach: px; animals farther apart are not the same.
        sure: confidence from which a network is sure of a keypoint.
        blind: confidence below which the teacher does not see it.
    """
    result = np.full(taught.shape, np.nan, np.float32)
    result[..., 2] = 0
    lost: list[bool] = []
    hallucinated: list[bool] = []
    for frame, (found, expected) in enumerate(zip(student, taught, strict=True)):
        match = match_animals(found, expected, reach)
        there = match >= 0
        result[frame, there] = found[match[there]]
        certain = (expected[..., 2] >= sure).any(axis=1)
        lost += (~there[certain]).tolist()
        known = match[there & (expected[..., 2] >= blind).any(axis=1)]
        certain_of = np.flatnonzero((found[..., 2] >= sure).any(axis=1))
        hallucinated += (~np.isin(certain_of, known)).tolist()
    return Comparison(result, _mean(np.array(lost)), _mean(np.array(hallucinated)))


def in_tracks(values: NDArray[Any], taught: NDArray[np.float32], starts: tuple[int, ...], reach: float) -> NDArray[Any]:
    """(F, A * K, ...) of values (F, A, K, ...), whose animals are in the order of the frame before, as far as they are near it.

    Args:
        taught: (F, A, K, 3) of the teacher, whose animals have no order.
        starts: where stretches of successive frames begin.
        reach: px; animals farther apart are not the same.
    """
    result = np.empty_like(values)
    before = taught[0] if len(taught) else None
    for frame, poses in enumerate(taught):
        order = np.arange(len(poses))
        if before is not None and frame not in starts and len(poses) > 1:
            order = match_animals(poses, before, reach)
            order[order < 0] = np.setdiff1d(np.arange(len(poses)), order)
        result[frame], before = values[frame][order], poses[order]
    return result.reshape(len(values), -1, *values.shape[3:])


def _mean(values: NDArray[Any]) -> float:
    return float(np.mean(values)) if values.size else math.nan
