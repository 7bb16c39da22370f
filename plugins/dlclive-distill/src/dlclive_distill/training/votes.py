"""From a student's maps to positions: the cells around the highest one vote.

A single cell's offset jumps where the highest cell changes from one frame to the next. The mean over its neighbours, weighted
by their probabilities, does not: p = sum(w_i (c_i + o_i)) / sum(w_i) over cells i at most `RADIUS` from the highest, with
centre c_i, offset o_i and probability w_i.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

RADIUS = 1.5
"""Cells to each side, which takes in the eight neighbours."""


class Votes(NamedTuple):
    """The outcome for (B, K) maps.

    Attributes:
        xy: (B, K, 2) in cells; the centre of the first is (0.5, 0.5).
        confidence: (B, K), the highest probability.
        spread: (B, K), standard deviation of the votes, in cells.
    """

    xy: Tensor
    confidence: Tensor
    spread: Tensor


def count_votes(logits: Tensor, offsets: Tensor | None = None, radius: float = RADIUS) -> Votes:
    """Count the votes of maps.

    Args:
        logits: (B, K, h, w).
        offsets: (B, 2 K, h, w) in cells, channels x0, y0, x1, ...; None: each cell votes for its own centre.
        radius: cells to each side of the highest that vote.
    """
    batch, keypoints, height, width = logits.shape
    chance = logits.float().sigmoid()
    cells = chance.flatten(2)
    best = _first_highest(cells)
    rows, columns, near = cells_around(best, height, width, radius)
    weights = chance * near
    weights = weights / (weights.sum((2, 3), keepdim=True) + 1e-9)
    x, y = columns + 0.5, (rows + 0.5)[:, None]
    if offsets is not None:
        moved = offsets.float().reshape(batch, keypoints, 2, height, width)
        x, y = x + moved[:, :, 0], y + moved[:, :, 1]
    mean_x, mean_y = (weights * x).sum((2, 3)), (weights * y).sum((2, 3))
    squares = (x - mean_x[..., None, None]) ** 2 + (y - mean_y[..., None, None]) ** 2
    spread = (weights * squares).sum((2, 3)).clamp_min(1e-6).sqrt()
    return Votes(torch.stack([mean_x, mean_y], dim=2), cells.amax(dim=2), spread)


def cells_around(best: Tensor, height: int, width: int, radius: float) -> tuple[Tensor, Tensor, Tensor]:
    """Numbers of the rows (h,) and columns (w,), and (B, K, h, w): 1 for cells at most `radius` from each of `best` (B, K)."""
    row = torch.div(best, width, rounding_mode="floor")
    column = best - row * width
    rows = torch.arange(height, device=best.device, dtype=torch.float32)
    columns = torch.arange(width, device=best.device, dtype=torch.float32)
    near_rows = ((rows - row[..., None].float()).abs() <= radius).float()
    near_columns = ((columns - column[..., None].float()).abs() <= radius).float()
    return rows, columns, near_rows[..., :, None] * near_columns[..., None, :]


def _first_highest(cells: Tensor) -> Tensor:
    """(B, K) the place of the highest of cells (B, K, n), and of equal ones the first.

    As `argmax`, which OpenVINO makes a sort of: that took a fourteenth of a student's time.
    """
    count = cells.shape[2]
    places = torch.arange(count, device=cells.device)
    return torch.where(cells == cells.amax(dim=2, keepdim=True), places, count - 1).amin(dim=2)
