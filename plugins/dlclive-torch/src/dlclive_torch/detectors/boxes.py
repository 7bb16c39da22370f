"""Boxes as (..., 4) float32 x1, y1, x2, y2: decoding, clipping, and which of them stay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dlclive_torch.detectors.torchvision_layers import import_torchvision

_LARGEST_GROWTH = math.log(1000 / 16)
"""The logarithm of how much larger than its anchor a box may be: an untrained network's exp() must not overflow."""

_DISCARDED = -1.0
"""A score below all others, for boxes that are not to be kept."""


@dataclass(frozen=True, slots=True)
class Regression:
    """What a network's four numbers for a box are multiplied with, as it was trained: 1 / centre, 1 / size."""

    centre: float
    size: float


def decode_boxes(deltas: Tensor, anchors: Tensor, regression: Regression) -> Tensor:
    """Move and scale anchors as a network says (Girshick et al. 2014, R-CNN, appendix C).

    With an anchor of centre (ax, ay) and size (aw, ah): x = ax + aw * dx, y = ay + ah * dy, w = aw * exp(dw),
    h = ah * exp(dh), where (dx, dy) are the first two numbers / `centre` and (dw, dh) the last two / `size`.

    Args:
        deltas: (..., 4).
        anchors: (..., 4) x1, y1, x2, y2.
        regression: how the numbers were scaled.

    Returns:
        (..., 4) x1, y1, x2, y2, in the unit of the anchors.
    """
    size = anchors[..., 2:] - anchors[..., :2]
    centre = anchors[..., :2] + 0.5 * size
    centre = centre + deltas[..., :2] / regression.centre * size
    half = 0.5 * size * (deltas[..., 2:] / regression.size).clamp(max=_LARGEST_GROWTH).exp()
    return torch.cat([centre - half, centre + half], dim=-1)


def clip_boxes(boxes: Tensor, size: Tensor) -> Tensor:
    """Cut boxes (..., 4) at the borders of an image of `size` (2,) width, height, as float32 like the boxes."""
    return boxes.clamp(min=0.0).minimum(size.repeat(2))


def discard_smaller(boxes: Tensor, scores: Tensor, side: float) -> Tensor:
    """Return the scores (...), changed to one below all others where a side of the box (..., 4) is below `side`."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return torch.where((sides >= side).all(dim=-1), scores, _DISCARDED)


def discard_below(scores: Tensor, threshold: float, *, inclusive: bool) -> Tensor:
    """Return the scores, changed to one below all others where they are below the threshold.

    With `inclusive`, a score equal to the threshold stays.
    """
    return torch.where(scores >= threshold if inclusive else scores > threshold, scores, _DISCARDED)


def suppress(boxes: Tensor, scores: Tensor, overlap: float, limit: int) -> tuple[Tensor, Tensor]:
    """Of boxes that overlap keep the one with the highest score, and leave out the discarded ones.

    A box goes if its intersection over union with a box that stays is above `overlap`. A discarded box is never
    above a box that counts, so it cannot suppress one, and all can go through one call whatever their number.

    Args:
        boxes: (M, 4).
        scores: (M,).
        overlap: highest intersection over union of two boxes that both stay.
        limit: how many stay at most.

    Returns:
        boxes (K, 4) and scores (K,), highest score first.
    """
    kept = import_torchvision("ops").nms(boxes, scores, overlap)
    boxes, scores = boxes[kept], scores[kept]
    counts = (scores > _DISCARDED).nonzero().squeeze(1)[:limit]
    return boxes[counts], scores[counts]
