"""Where several animals are: the highest cells of the coarse network's map, each higher than those around it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from dlclive_distill.training.votes import cells_around

_LOWEST = -1e4  # a logit below all others
_APART = 2  # cells around a peak in which there is no other
_RADIUS = 1.5  # cells that vote for an animal's centre: with more, animals side by side would pull at each other


def highest_peaks(logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Find the animals in maps.

    Args:
        logits: (B, h, w), with h * w at least `count`.
        count: N.

    Returns:
        (B, N, 2) x, y in cells, the centre of the first is (0.5, 0.5); and (B, N) probabilities, the highest first. Where
        a map has fewer peaks, the rest have probability 0.
    """
    height, width = logits.shape[1:]
    logits = logits.float()
    peaks = torch.where(_is_peak(logits), logits, _LOWEST)
    heights, best = peaks.flatten(1).topk(count, dim=1)
    rows, columns, near = cells_around(best, height, width, _RADIUS)
    weights = logits.sigmoid()[:, None] * near
    weights = weights / (weights.sum((2, 3), keepdim=True) + 1e-9)
    x = (weights.sum(2) * (columns + 0.5)).sum(2)
    y = (weights.sum(3) * (rows + 0.5)).sum(2)
    return torch.stack([x, y], dim=2), heights.sigmoid()


def _is_peak(logits: Tensor) -> Tensor:
    """(B, h, w): no neighbour is higher. Of equal neighbours the first counts: a second would take an animal's place."""
    height, width = logits.shape[1:]
    around = functional.max_pool2d(logits[:, None], 2 * _APART + 1, stride=1, padding=_APART)[:, 0]
    padded = functional.pad(logits, (_APART,) * 4, value=2 * _LOWEST)
    before = [padded[:, row : row + height, column : column + width] for row, column in _BEFORE]
    return (logits >= around) & (logits > torch.stack(before).amax(0))


_BEFORE = [divmod(place, 2 * _APART + 1) for place in range(2 * _APART * (_APART + 1))]
"""Rows and columns, in the padded map, of a cell's neighbours before it."""
