"""Boxes as (..., 4) float32 x1, y1, x2, y2: decoding, clipping, and suppression."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dlclive_torch.detectors.torchvision_layers import import_torchvision

_LARGEST_GROWTH = math.log(1000 / 16)
"""Logarithm of the largest ratio of a box to its anchor: the exp() of an untrained network must not overflow."""

_DISCARDED = -1.0
"""The score of discarded boxes, below all other scores."""


@dataclass(frozen=True, slots=True)
class Regression:
    """The divisors of a network's four box deltas, as in training: `centre` for dx, dy and `size` for dw, dh."""

    centre: float
    size: float


def decode_boxes(deltas: Tensor, anchors: Tensor, regression: Regression) -> Tensor:
    """Shift and scale anchors by a network's deltas (Girshick et al. 2014, R-CNN, appendix C).

    With an anchor of centre (ax, ay) and size (aw, ah): x = ax + aw * dx, y = ay + ah * dy, w = aw * exp(dw),
    h = ah * exp(dh), where (dx, dy) are the first two deltas / `centre` and (dw, dh) the last two / `size`.

    Args:
        deltas: (..., 4).
        anchors: (..., 4) x1, y1, x2, y2.
        regression: the divisors of the deltas.

    Returns:
        (..., 4) x1, y1, x2, y2, in the unit of the anchors.
    """
    size = anchors[..., 2:] - anchors[..., :2]
    centre = anchors[..., :2] + 0.5 * size
    centre = centre + deltas[..., :2] / regression.centre * size
    half = 0.5 * size * (deltas[..., 2:] / regression.size).clamp(max=_LARGEST_GROWTH).exp()
    return torch.cat([centre - half, centre + half], dim=-1)


def clip_boxes(boxes: Tensor, size: Tensor) -> Tensor:
    """Clip boxes (..., 4) to an image of `size` (2,) width, height, float32."""
    return boxes.clamp(min=0.0).minimum(size.repeat(2))


def discard_smaller(boxes: Tensor, scores: Tensor, side: float) -> Tensor:
    """Return the scores (...), with boxes (..., 4) discarded if one of their sides is below `side`."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return torch.where((sides >= side).all(dim=-1), scores, _DISCARDED)


def discard_below(scores: Tensor, threshold: float, *, inclusive: bool) -> Tensor:
    """Return the scores, with boxes discarded if their score is below the threshold.

    With `inclusive`, a score equal to the threshold is kept.
    """
    return torch.where(scores >= threshold if inclusive else scores > threshold, scores, _DISCARDED)


def suppress(boxes: Tensor, scores: Tensor, overlap: float, limit: int) -> tuple[Tensor, Tensor]:
    """Apply non-maximum suppression, and remove discarded boxes.

    A box is suppressed if its intersection over union with a kept box is above `overlap`. Discarded boxes have the lowest
    score, so they never suppress a valid box and can be passed in the same call.

    Args:
        boxes: (M, 4).
        scores: (M,).
        overlap: highest intersection over union of two kept boxes.
        limit: maximum number of boxes to keep.

    Returns:
        boxes (K, 4) and scores (K,), highest score first.
    """
    kept = import_torchvision("ops").nms(boxes, scores, overlap)
    boxes, scores = boxes[kept], scores[kept]
    valid = (scores > _DISCARDED).nonzero().squeeze(1)[:limit]
    return boxes[valid], scores[valid]
