"""How far answers are from DeepLabCut's: animals matched, in pixels and confidence."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass
class Difference:
    """The largest so far: px between keypoints, of confidences, px between corners of boxes, and of their scores.

    `unnamed` counts the frames whose animals were compared without their names, because some were absent.
    """

    px: float = 0.0
    confidence: float = 0.0
    boxes_px: float | None = None
    whole_px: float | None = None
    unnamed: int = 0

    def add(self, wanted: Array, found: Array, *, ordered: bool) -> None:
        """Compare (N, K, 3) poses; those of animals without an order in the order that fits best."""
        px, confidence = distance(wanted, found) if ordered else matched(wanted, found)
        self.px, self.confidence = max(self.px, px), max(self.confidence, confidence)


def distance(wanted: Array, found: Array) -> tuple[float, float]:
    """Largest distance of keypoints and of confidences; infinite where only one of them was found."""
    if wanted.shape != found.shape:
        return np.inf, np.inf
    seen = np.isfinite(wanted[..., 0])
    if (np.isfinite(found[..., 0]) != seen).any():
        return np.inf, np.inf
    px = np.linalg.norm((wanted[..., :2].astype(float) - found[..., :2])[seen], axis=-1).max(initial=0.0)
    return float(px), float(np.abs(wanted[..., 2] - found[..., 2]).max(initial=0.0))


def matched(wanted: Array, found: Array) -> tuple[float, float]:
    """The same for the order of animals that is nearest."""
    if wanted.shape != found.shape:
        return np.inf, np.inf
    orders = itertools.permutations(range(len(found)))
    return min(distance(wanted, found[list(order)]) for order in orders)


def nearest_boxes(wanted: Array, found: Array) -> float:
    """How far the corners of the farthest box (N, 5) are from the nearest found one, in pixels.

    A score that is off by more than 0.01 counts as a box that was not found.
    """
    worst = 0.0
    for box in wanted:
        alike = found[np.abs(found[:, 4] - box[4]) < 0.01, :4]
        worst = max(worst, float(np.abs(alike - box[:4]).max(axis=1).min(initial=np.inf)))
    return worst
