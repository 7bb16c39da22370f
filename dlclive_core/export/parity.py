"""Compares the poses of two models on the same images, as distances in pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel
from dlclive_core.data.pose import Pose
from dlclive_core.models.conditional import ConditionalModel
from dlclive_core.models.topdown.boxes import tiles
from dlclive_core.models.topdown.model import TopDownModel

CONFIDENT = 0.6
"""Keypoints with at least this confidence are compared; below it, a heatmap may have two peaks of similar height."""

CONFIDENT_BOX = 0.5
"""Boxes with at least this score are compared."""

_CONDITIONS = 3  # animals in each image, for conditional models


@dataclass(frozen=True, slots=True)
class Parity:
    """Distances of a candidate's keypoints from a reference's.

    Attributes:
        images: number of images compared.
        keypoints: number of keypoints that the reference found, `confident` of them with a confidence of 0.6 or more.
        max_px: the largest distance over all keypoints, in pixels.
        p50_px: the median of the same.
        max_confident_px: the same over the confident ones.
        p50_confident_px, p95_confident_px, p99_confident_px: percentiles over the confident ones.
        max_confidence: the largest difference in confidence, `p95_confidence` the 95th percentile.
        boxes: number of boxes that the reference's detector found with a score of 0.5 or more.
        box_px: 95th percentile of the distance from each of them to the candidate's nearest box, in pixels at the worst
            corner. The last digit may decide which of two overlapping boxes is kept, so single boxes may differ.
    """

    images: int
    keypoints: int
    confident: int
    max_px: float
    max_confident_px: float
    max_confidence: float
    boxes: int = 0
    box_px: float = 0.0
    p50_confident_px: float = 0.0
    p95_confident_px: float = 0.0
    p99_confident_px: float = 0.0
    p50_px: float = 0.0
    p95_confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answers for one image.

    Attributes:
        pose: its pose, which depends only on the network and the image.
        boxes: (M, 5) boxes and scores of its detector; None for models without one.
    """

    pose: Pose
    boxes: NDArray[np.float32] | None = None


def answers(
    model: PoseModel,
    images: Sequence[NDArray[np.uint8]],
    *,
    detect: bool = True,
    boxes: Sequence[NDArray[np.float32] | None] | None = None,
) -> list[Answer]:
    """Run a model on (H, W, 3) uint8 RGB images: the same input for any model made from one network.

    Top-down networks run in `boxes`, (N, 4 or more) for each image, by default four of them; conditional ones run with random
    conditions. Their detectors run only if `detect` is True.
    """
    given = boxes or [None] * len(images)
    return [
        Answer(_predict(model, image, seed, seen), _detect(model, image) if detect else None)
        for seed, (image, seen) in enumerate(zip(images, given, strict=True))
    ]


def compare_models(reference: PoseModel, candidate: PoseModel, images: Iterable[NDArray[np.uint8]]) -> Parity:
    """Run both models on the same (H, W, 3) uint8 RGB images and measure the distances, as `compare_answers` does."""
    images = list(images)
    return compare_answers(answers(reference, images), answers(candidate, images))


def compare_answers(reference: Sequence[Answer], candidate: Sequence[Answer]) -> Parity:
    """Measure the distances between the answers of two models for the same images.

    Detectors are compared separately if the reference has one. Individuals are compared in order.
    """
    keypoints = confident = 0
    all_px: list[float] = []
    confidences: list[float] = []
    confident_px: list[float] = []
    box_px: list[float] = []
    for before, after in zip(reference, candidate, strict=True):
        expected, actual = before.pose, after.pose
        is_found = np.isfinite(expected.keypoints[..., 0])
        keypoints += int(is_found.sum())
        confident += int((is_found & (expected.confidence >= CONFIDENT)).sum())
        pairs = [(expected.keypoints, actual.keypoints)]
        if expected.unique is not None and actual.unique is not None:
            pairs.append((expected.unique[None], actual.unique[None]))
        for ours, theirs in pairs:
            distance, difference = _distances(ours, theirs)
            confidences += difference
            all_px += distance[np.isfinite(ours[..., 0]) | (distance > 0)].tolist()
            confident_px += distance[ours[..., 2] >= CONFIDENT].tolist()
        box_px += _compare_boxes(before.boxes, after.boxes)
    return Parity(
        images=len(reference),
        keypoints=keypoints,
        confident=confident,
        max_px=max(all_px, default=0.0),
        max_confident_px=max(confident_px, default=0.0),
        max_confidence=max(confidences, default=0.0),
        boxes=len(box_px),
        box_px=_quantile(box_px, 0.95),
        p50_confident_px=_quantile(confident_px, 0.5),
        p95_confident_px=_quantile(confident_px, 0.95),
        p99_confident_px=_quantile(confident_px, 0.99),
        p50_px=_quantile(all_px, 0.5),
        p95_confidence=_quantile(confidences, 0.95),
    )


def finds_animals(model: PoseModel, images: Iterable[NDArray[np.uint8]]) -> bool:
    """Whether the model finds a confident keypoint in any of these images, run as in `compare_models`."""
    return any((_predict(model, image, seed).confidence >= CONFIDENT).any() for seed, image in enumerate(images))


def _quantile(values: Sequence[float], share: float) -> float:
    """A quantile that is one of the values, since some may be infinite; 0 without values."""
    return float(np.quantile(values, share, method="higher")) if values else 0.0


def _predict(model: PoseModel, image: NDArray[np.uint8], seed: int, boxes: NDArray[np.float32] | None = None) -> Pose:
    """A pose that depends only on the network and the image."""
    if isinstance(model, TopDownModel):
        return model.predict(image, boxes=tiles(image.shape, (2, 2), 0) if boxes is None else boxes)
    if isinstance(model, ConditionalModel):
        return model.predict(image, conditions=random_conditions(image, len(model.card.skeleton), seed))
    return model.predict(image)


def random_conditions(image: NDArray[np.uint8], keypoints: int, seed: int) -> NDArray[np.float32]:
    """(N, K, 3) keypoints of animals at random positions in an image, to compare conditional models on."""
    rng = np.random.default_rng(seed)
    height, width = image.shape[:2]
    centres = rng.uniform(0.3, 0.7, (_CONDITIONS, 1, 2))
    xy = (centres + rng.uniform(-0.15, 0.15, (_CONDITIONS, keypoints, 2))) * (width, height)
    return np.concatenate([xy, np.ones((*xy.shape[:2], 1))], axis=2).astype(np.float32)


def _distances(expected: NDArray[np.float32], actual: NDArray[np.float32]) -> tuple[NDArray[np.float64], list[float]]:
    """(N, K) pixels between keypoints, infinite where only one was found, and their differences in confidence."""
    if expected.shape != actual.shape:
        return np.full(expected.shape[:2], np.inf), [np.inf]
    is_found = np.isfinite(expected[..., 0])
    distance = np.hypot(*(expected[..., i].astype(float) - actual[..., i] for i in (0, 1)))
    distance = np.where(np.isfinite(actual[..., 0]) == is_found, np.nan_to_num(distance), np.inf)
    difference: NDArray[np.float32] = np.abs(expected[..., 2] - actual[..., 2])
    return distance, difference.ravel().tolist()


def _detect(model: PoseModel, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    detector = model.detector() if isinstance(model, TopDownModel) else None
    return None if detector is None else detector.detect(image)


def _compare_boxes(ours: NDArray[np.float32] | None, theirs: NDArray[np.float32] | None) -> list[float]:
    """Pixels from each confident box of the reference's detector to the candidate's nearest one."""
    if ours is None or theirs is None:
        return [] if ours is theirs else [np.inf]
    expected = ours[ours[:, 4] >= CONFIDENT_BOX]
    if not len(theirs):
        return [np.inf] * len(expected)
    distances: NDArray[np.float32] = np.abs(expected[:, None, :4] - theirs[None, :, :4]).max(axis=2).min(axis=1)
    return distances.tolist()
