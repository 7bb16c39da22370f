"""Judge a student: its poses beside its teacher's, on frames that it has not seen, and beside people's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ConfidenceBin, Distances, HumanErrors, Judgement
from dlclive_distill.footage import Labelled
from dlclive_distill.human_labels import HumanLabels
from dlclive_distill.judging_animals import Comparison, compare_animals, compare_one, in_tracks
from dlclive_distill.labeller import Labeller
from dlclive_distill.matching import aligned, reach_of
from dlclive_distill.teacher import BLIND, SURE

Predict = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], float]]
"""A frame (H, W, 3) uint8 RGB to keypoints (N, K, 3), and how unlike it is to what the student has learnt: marked above 1."""

MARKED = 1.0
NEAR = 5.0
"""Pixels."""
_EDGES = (0.0, 0.1, 0.3, 0.6, 0.8, 0.9, 1.0)


def judge(
    predict: Predict,
    held_out: Labelled,
    human: HumanLabels | None,
    teacher: Labeller,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Judgement:
    """Run the student on all held-out frames and labelled images, and compare.

    Several animals are matched in each frame; those that are farther apart than half an animal are not the same.

    Args:
        predict: the student.
        held_out: frames with the teacher's keypoints.
        human: labelled images; None for none. The teacher runs on them, too.
        teacher: the student's.
        report: called with how many frames are done, and of how many.
    """
    total = len(held_out) + (0 if human is None else len(human.images))
    poses, unlike = [], []
    for number, frame in enumerate(held_out.frames):
        report(number, total)
        keypoints, value = predict(np.asarray(frame))
        poses.append(keypoints)
        unlike.append(value)
    taught = np.asarray(held_out.keypoints)
    reach = reach_of(taught, SURE) if teacher.animals > 1 else math.inf
    found = _compare(np.array(poses, np.float32), taught, reach)
    student, sure = found.student, (taught[..., 2] >= SURE) & np.isfinite(found.student[..., 0])
    marked = np.array(unlike) > MARKED
    distance = np.linalg.norm(student[..., :2].astype(np.float64) - taught[..., :2], axis=-1)
    shown = [in_tracks(poses, taught, held_out.starts, reach) for poses in (student, taught, sure[..., None])]
    _, height, width, _ = held_out.frames.shape
    return Judgement(
        frames=len(student),
        animals=teacher.animals,
        keypoints=int(sure.size),
        error=distances(distance[sure]),
        trusted=distances(distance[sure & ~marked[:, None, None]]),
        marked=_mean(marked),
        lost=found.lost,
        hallucinated=found.hallucinated,
        jitter_px=jitter(shown[0], shown[2][..., 0], held_out.starts),
        teacher_jitter_px=jitter(shown[1], shown[2][..., 0], held_out.starts),
        calibration=calibration(student[..., 2][sure], distance[sure]),
        human=None
        if human is None
        else _beside_people(
            predict, human, teacher, (width, height), reach, lambda done: report(len(held_out) + done, total)
        ),
    )


def _compare(student: NDArray[np.float32], taught: NDArray[np.float32], reach: float) -> Comparison:
    if taught.shape[1] > 1:
        return compare_animals(student, taught, reach, sure=SURE, blind=BLIND)
    return compare_one(student, taught, sure=SURE, blind=BLIND)


def distances(values: NDArray[np.float64]) -> Distances:
    """Summarise distances (n,) in pixels."""
    if not values.size:
        return Distances(count=0, median_px=math.nan, p95_px=math.nan, p99_px=math.nan)
    median, p95, p99 = (float(value) for value in np.percentile(values, (50, 95, 99)))
    return Distances(count=int(values.size), median_px=median, p95_px=p95, p99_px=p99)


def jitter(poses: NDArray[np.float32], sure: NDArray[np.bool_], starts: tuple[int, ...]) -> float:
    """The median length of x[t-1] - 2 x[t] + x[t+1] over keypoints that are sure in all three of successive frames, in pixels.

    Args:
        poses: (N, K, 3).
        sure: (N, K).
        starts: where stretches of successive frames begin.
    """
    lengths = []
    for begin, end in zip(starts, (*starts[1:], len(poses)), strict=True):
        positions, there = poses[begin:end, :, :2].astype(np.float64), sure[begin:end]
        if len(positions) < 3:
            continue
        second = positions[:-2] - 2 * positions[1:-1] + positions[2:]
        lengths.append(np.linalg.norm(second, axis=-1)[there[:-2] & there[1:-1] & there[2:]])
    values = np.concatenate(lengths) if lengths else np.empty(0)
    return float(np.median(values)) if values.size else math.nan


def calibration(confidence: NDArray[np.float32], distance: NDArray[np.float64]) -> tuple[ConfidenceBin, ...]:
    """What confidences (n,) say of distances (n,): a row for each range of confidence. 1 belongs to the last one."""
    bins = []
    for low, high in pairwise(_EDGES):
        inside = distance[(confidence >= low) & ((confidence < high) | (high == _EDGES[-1]))]
        median = float(np.median(inside)) if inside.size else math.nan
        bins.append(
            ConfidenceBin(low=low, high=high, count=int(inside.size), median_px=median, near=_mean(inside <= NEAR))
        )
    return tuple(bins)


@dataclass(slots=True)
class _Sum:
    """Distances to people's labels, of both networks."""

    student: list[NDArray[np.float64]]
    teacher: list[NDArray[np.float64]]
    skipped: int = 0


def _beside_people(
    predict: Predict,
    human: HumanLabels,
    teacher: Labeller,
    size: tuple[int, int],
    reach: float,
    report: Callable[[int], None],
) -> HumanErrors:
    found = _Sum([], [])
    for number, picture in enumerate(human.pictures(size)):
        report(number)
        if picture is None:
            found.skipped += 1
            continue
        image, labels = picture
        student, taught = predict(image)[0], teacher.label(image[None])[0][0]
        labelled = np.isfinite(labels[..., 0]) & np.isfinite(labels[..., 1])
        if teacher.animals > 1:
            people = np.concatenate([labels, labelled[..., None]], axis=-1)
            student, taught = (aligned(poses, people, reach) for poses in (student, taught))
        there = labelled & (taught[..., 2] >= SURE) & np.isfinite(student[..., 0])
        found.student.append(np.linalg.norm(student[there][:, :2].astype(np.float64) - labels[there], axis=1))
        found.teacher.append(np.linalg.norm(taught[there][:, :2].astype(np.float64) - labels[there], axis=1))
    students, teachers = (np.concatenate([np.empty(0), *each]) for each in (found.student, found.teacher))
    return HumanErrors(
        project=str(human.project),
        images=len(found.student),
        points=len(students),
        skipped=found.skipped,
        student_mean_px=_mean(students),
        student_median_px=float(np.median(students)) if students.size else math.nan,
        teacher_mean_px=_mean(teachers),
        teacher_median_px=float(np.median(teachers)) if teachers.size else math.nan,
    )


def _mean(values: NDArray[Any]) -> float:
    return float(np.mean(values)) if values.size else math.nan
