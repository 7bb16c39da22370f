"""Do two models give the same pose? Measured in pixels, on the same images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel

CONFIDENT = 0.6
"""Keypoints of at least this confidence are decided; others may have two peaks of nearly the same height."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a candidate's keypoints are from a reference's.

    Attributes:
        images: how many were compared.
        keypoints: how many keypoints the reference found, and `confident` of them with a confidence of 0.6 or more.
        max_px: the largest distance over all keypoints, in pixels.
        max_confident_px: the same over the confident ones.
        max_confidence: the largest difference in confidence.
    """

    images: int
    keypoints: int
    confident: int
    max_px: float
    max_confident_px: float
    max_confidence: float


def compare_models(reference: PoseModel, candidate: PoseModel, images: Iterable[NDArray[np.uint8]]) -> Parity:
    """Run both models on the same images. Individuals are compared in their order."""
    count = keypoints = confident = 0
    max_px = max_confident_px = max_confidence = 0.0
    for image in images:
        count += 1
        wanted, found = reference.predict(image).keypoints, candidate.predict(image).keypoints
        if wanted.shape != found.shape:
            max_px = max_confident_px = max_confidence = float("inf")
            keypoints += wanted.shape[0] * wanted.shape[1]
            continue
        seen = np.isfinite(wanted[..., 0])
        distance = np.hypot(*(wanted[..., i].astype(float) - found[..., i] for i in (0, 1)))
        distance = np.where(np.isfinite(found[..., 0]) == seen, np.nan_to_num(distance), np.inf)
        sure = seen & (wanted[..., 2] >= CONFIDENT)
        keypoints += int(seen.sum())
        confident += int(sure.sum())
        max_px = max(max_px, float(distance.max(initial=0)))
        max_confident_px = max(max_confident_px, float(distance[sure].max(initial=0)))
        max_confidence = max(max_confidence, float(np.abs(wanted[..., 2] - found[..., 2]).max(initial=0)))
    return Parity(count, keypoints, confident, max_px, max_confident_px, max_confidence)
