"""Do two models give the same pose? Measured in pixels, on the same images."""

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
"""Keypoints of at least this confidence are decided; others may have two peaks of nearly the same height."""

SURE_BOX = 0.5
"""Boxes that a detector is at least this sure of are compared."""

_CONDITIONS = 3  # animals in each image, for conditional models


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a candidate's keypoints are from a reference's.

    Attributes:
        images: how many were compared.
        keypoints: how many keypoints the reference found, and `confident` of them with a confidence of 0.6 or more.
        max_px: the largest distance over all keypoints, in pixels.
        max_confident_px: the same over the confident ones.
        p50_confident_px, p95_confident_px, p99_confident_px: what 50, 95 and 99 of 100 confident ones keep.
        max_confidence: the largest difference in confidence.
        boxes: how many boxes the reference's detector found with a score of 0.5 or more.
        box_px: how far the candidate's nearest box is from each of them, in pixels at the worst corner: the value that 95 of
            100 boxes keep. Which of two boxes that overlap is kept can hang on the last digit, so single ones may differ.
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


def compare_models(reference: PoseModel, candidate: PoseModel, images: Iterable[NDArray[np.uint8]]) -> Parity:
    """Run both models on the same images.

    Networks are compared on the same input: top-down ones in four boxes of each image, conditional ones with made-up
    conditions. Detectors, where both have one, are compared by themselves. Individuals are compared in their order.
    """
    count = keypoints = confident = 0
    max_px = max_confidence = 0.0
    sure_px: list[float] = []
    boxes: list[float] = []
    for image in images:
        wanted, found = (_predict(model, image, seed=count) for model in (reference, candidate))
        count += 1
        seen = np.isfinite(wanted.keypoints[..., 0])
        sure = seen & (wanted.confidence >= CONFIDENT)
        keypoints += int(seen.sum())
        confident += int(sure.sum())
        pairs = [(wanted.keypoints, found.keypoints)]
        if wanted.unique is not None and found.unique is not None:
            pairs.append((wanted.unique[None], found.unique[None]))
        for here, there in pairs:
            distance, difference = _distances(here, there)
            max_px = max(max_px, float(distance.max(initial=0)))
            max_confidence = max(max_confidence, difference)
            sure_px += distance[here[..., 2] >= CONFIDENT].tolist()
        boxes += _compare_boxes(reference, candidate, image)
    return Parity(
        images=count,
        keypoints=keypoints,
        confident=confident,
        max_px=max_px,
        max_confident_px=max(sure_px, default=0.0),
        max_confidence=max_confidence,
        boxes=len(boxes),
        box_px=_kept_by(0.95, boxes),
        p50_confident_px=_kept_by(0.5, sure_px),
        p95_confident_px=_kept_by(0.95, sure_px),
        p99_confident_px=_kept_by(0.99, sure_px),
    )


def finds_something(model: PoseModel, images: Iterable[NDArray[np.uint8]]) -> bool:
    """Whether there is one confident keypoint in these images, looked for as `compare_models` does."""
    return any((_predict(model, image, seed).confidence >= CONFIDENT).any() for seed, image in enumerate(images))


def _kept_by(share: float, values: Sequence[float]) -> float:
    """The value that this share of the values does not exceed: one of them, because some may be infinite."""
    return float(np.quantile(values, share, method="higher")) if values else 0.0


def _predict(model: PoseModel, image: NDArray[np.uint8], seed: int) -> Pose:
    """A pose that depends on nothing but the network and the image."""
    if isinstance(model, TopDownModel):
        return model.predict(image, boxes=tiles(image.shape, (2, 2), 0))
    if isinstance(model, ConditionalModel):
        return model.predict(image, conditions=made_up_conditions(image, len(model.card.skeleton), seed))
    return model.predict(image)


def made_up_conditions(image: NDArray[np.uint8], keypoints: int, seed: int) -> NDArray[np.float32]:
    """(N, K, 3) keypoints of animals at random places in an image, for tests of conditional models."""
    rng = np.random.default_rng(seed)
    height, width = image.shape[:2]
    centres = rng.uniform(0.3, 0.7, (_CONDITIONS, 1, 2))
    xy = (centres + rng.uniform(-0.15, 0.15, (_CONDITIONS, keypoints, 2))) * (width, height)
    return np.concatenate([xy, np.ones((*xy.shape[:2], 1))], axis=2).astype(np.float32)


def _distances(wanted: NDArray[np.float32], found: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """(N, K) pixels between keypoints, infinite where only one was found, and the largest difference in confidence."""
    if wanted.shape != found.shape:
        return np.full(wanted.shape[:2], np.inf), np.inf
    seen = np.isfinite(wanted[..., 0])
    distance = np.hypot(*(wanted[..., i].astype(float) - found[..., i] for i in (0, 1)))
    distance = np.where(np.isfinite(found[..., 0]) == seen, np.nan_to_num(distance), np.inf)
    return distance, float(np.abs(wanted[..., 2] - found[..., 2]).max(initial=0))


def _compare_boxes(reference: PoseModel, candidate: PoseModel, image: NDArray[np.uint8]) -> list[float]:
    """Pixels from each sure box of the reference's detector to the candidate's nearest one."""
    if not isinstance(reference, TopDownModel) or not isinstance(candidate, TopDownModel):
        return []
    ours, theirs = reference.detector(), candidate.detector()
    if ours is None or theirs is None:
        return [] if ours is theirs else [np.inf]
    wanted, found = ours.detect(image), theirs.detect(image)
    wanted = wanted[wanted[:, 4] >= SURE_BOX]
    if not len(found):
        return [np.inf] * len(wanted)
    apart: NDArray[np.float32] = np.abs(wanted[:, None, :4] - found[None, :, :4]).max(axis=2).min(axis=1)
    return apart.tolist()
