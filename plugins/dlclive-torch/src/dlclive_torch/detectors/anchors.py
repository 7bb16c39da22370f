"""Anchors: the boxes that a detector's network shifts and scales to fit the animals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor


def default_boxes(grids: Sequence[int], scales: Sequence[float], ratios: Sequence[float], side: int) -> Tensor:
    """Return the anchors of a single-shot detector with a square input (Liu et al. 2016, SSD, section 2.2).

    Each cell of map k has a square of scale s_k, a square of scale sqrt(s_k * s_{k+1}), and for each ratio r a box of
    s_k * sqrt(r) by s_k / sqrt(r) and its transpose. Anchors are no larger than the image.

    Args:
        grids: cells along a side of each map.
        scales: s_k as fractions of the image's side; one more than there are maps.
        ratios: ratios of width to height.
        side: side of the image [px].

    Returns:
        (A, 4) float32 x1, y1, x2, y2 [px]: map by map, row by row, cell by cell.
    """
    anchors = []
    for grid, (scale, next_scale) in zip(grids, pairwise(scales), strict=True):
        between = math.sqrt(scale * next_scale)
        shapes = [(scale, scale), (between, between)]
        for ratio in ratios:
            long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
            shapes += [(long, short), (short, long)]
        sizes = torch.tensor(shapes).clamp(max=1.0)
        middles = (torch.arange(grid) + 0.5) / grid
        rows, columns = torch.meshgrid(middles, middles, indexing="ij")
        centres = torch.stack([columns, rows], dim=-1).view(-1, 1, 2)
        anchors.append(torch.cat([centres - 0.5 * sizes, centres + 0.5 * sizes], dim=-1).view(-1, 4) * side)
    return torch.cat(anchors)


def cell_anchors(sides: Sequence[int], ratios: Sequence[float]) -> Tensor:
    """Return the anchors centred on one point (Ren et al. 2015, Faster R-CNN, section 3.1.1).

    There is a box of s / sqrt(r) by s * sqrt(r) for each ratio r of height to width and each side s. Corners are rounded
    to integer pixels.

    Returns:
        (len(ratios) * len(sides), 4) float32 x1, y1, x2, y2 [px], relative to the point.
    """
    lengths = torch.tensor(sides, dtype=torch.float32)
    roots = torch.tensor(ratios, dtype=torch.float32).sqrt().unsqueeze(1)
    half = torch.stack([(1 / roots * lengths).flatten(), (roots * lengths).flatten()], dim=1) / 2
    return torch.cat([-half, half], dim=1).round()


def spread_anchors(cell: Tensor, grid: tuple[int, int], image: tuple[int, int]) -> Tensor:
    """Repeat anchors at each cell of a map. The step is the image's size divided by the map's, rounded down to pixels.

    Args:
        cell: (A, 4) anchors centred on one point.
        grid: rows and columns of the map; may be symbolic.
        image: height and width [px] of the network's input; may be symbolic.

    Returns:
        (rows * columns * A, 4) float32: row by row, cell by cell.
    """
    rows, columns = (_positions(cells, pixels, cell.device) for cells, pixels in zip(grid, image, strict=True))
    points = torch.stack(
        [columns.expand(grid[0], -1), rows.unsqueeze(1).expand(-1, grid[1])], dim=-1
    )  # (rows, columns, 2): x, y
    return (points.repeat(1, 1, 2).unsqueeze(2) + cell).view(-1, 4)


def _positions(cells: int, pixels: int, device: torch.device) -> Tensor:
    # Tensors, because the ONNX exporter cannot divide symbolic numbers.
    step = torch.div(torch.full((), pixels, device=device), torch.full((), cells, device=device), rounding_mode="floor")
    return (torch.arange(cells, device=device) * step).to(torch.float32)
