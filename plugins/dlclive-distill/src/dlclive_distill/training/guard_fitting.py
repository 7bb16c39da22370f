"""Fits a student's guard: to frames of the rig as they are, and as they look when something is not as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlclive_distill.training.damage import Damaged, damage, mild, moved
from dlclive_distill.training.footing import Footing
from dlclive_distill.training.guard import pooled
from dlclive_distill.training.student import Reading, Student, as_batch
from dlclive_distill.training.targets import SURE

OFF_PX = 3.0
"""A student whose mean distance to the teacher's sure keypoints is more than this is off."""

_PASSING = 0.95  # of the frames on which the student is right, in any light, are not marked
_NORMAL = 400  # frames of the training as they are
_DAMAGED = 2200  # and damaged ones, at most
_EACH = 8  # at most so many of a frame
_MOVED, _MILD = 2, 2  # copies of each frame that is kept back

Ground = Iterator[Damaged]
Change = Callable[[NDArray[np.uint8], NDArray[np.float32]], Damaged]


def fit_guard(student: Student, footing: Footing, kept_back: NDArray[np.int64], *, seed: int) -> None:
    """Fit the distances to frames as they are, and the score to damaged ones, a share of which the student gets wrong.

    Args:
        footing: with the frames of the training.
        kept_back: indices of frames that it was not trained on; they decide where the limit lies.
    """
    random = np.random.default_rng([seed, 1])
    whole, mirror = footing.whole, footing.mirror
    normal = _spread(whole, _NORMAL)
    student.guard.fit_distances(torch.cat([pooled(_read(student, footing.frame(index)).deep) for index in normal]))
    damaged = random.choice(whole, min(_DAMAGED, _EACH * len(whole)))
    features, is_off = _judged(
        student,
        chain(
            _as_they_are(footing, normal),
            _each(footing, damaged, lambda frame, keypoints: damage(frame, keypoints, mirror, random), times=1),
        ),
    )
    student.guard.fit_score(features, is_off)
    unseen, unseen_off = _judged(
        student,
        chain(
            _as_they_are(footing, kept_back),
            _each(footing, kept_back, lambda frame, keypoints: moved(frame, keypoints, random), times=_MOVED),
            _each(footing, kept_back, lambda frame, keypoints: mild(frame, keypoints, random), times=_MILD),
        ),
    )
    right = unseen[~unseen_off] if not unseen_off.all() else features
    # the worst animal marks a frame
    student.guard.fit_limit(right, _PASSING ** (1 / footing.animals))


def _as_they_are(footing: Footing, indices: NDArray[np.int64]) -> Ground:
    return _each(footing, indices, lambda frame, keypoints: Damaged(frame, keypoints, sound=True), times=1)


def _each(footing: Footing, indices: NDArray[np.int64], change: Change, *, times: int) -> Ground:
    for index in indices:
        for _ in range(times):
            yield change(footing.frame(index), footing.keypoints[index])


def _judged(student: Student, ground: Ground) -> tuple[Tensor, Tensor]:
    """Features (N, F) of what the student finds in frames, and whether it is off (N,).

    Frames whose teacher is sure of nothing are left out if they are damaged. As they are, they are what the rig looks like
    when the animal hides, and the student is not off.
    """
    features, off = [torch.zeros(0, student.guard.count)], [torch.zeros(0, dtype=torch.bool)]
    for frame, teacher, gone, sound in ground:
        is_known = (teacher[..., 2] >= SURE).any()
        if not (is_known or sound):
            continue
        reading = _read(student, frame)
        features.append(student.guard.features(reading.deep, reading.votes, reading.found))
        distance = _mean_distances(reading.keypoints.numpy(), teacher)
        off.append(torch.from_numpy((gone | (distance > OFF_PX)) & is_known))
    return torch.cat(features), torch.cat(off)


def _read(student: Student, frame: NDArray[np.uint8]) -> Reading:
    with torch.no_grad():
        return student.of_animals(student.read(as_batch(frame)))


def _mean_distances(found: NDArray[np.float32], teacher: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) px from each animal that was found to the nearest of the teacher's (A, K, 3), over its sure keypoints."""
    sure = teacher[..., 2] >= SURE
    apart = np.linalg.norm(found[:, None, :, :2].astype(np.float64) - teacher[None, :, :, :2], axis=-1)
    mean = np.where(sure, apart, 0).sum(-1) / np.maximum(sure.sum(-1), 1)
    return np.where(sure.any(-1), mean, np.inf).min(1)


def _spread(indices: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most `count` of the indices, evenly spread."""
    return indices[np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int)]
