"""Keypoint candidates: a fixed number of the most confident local maxima of heatmaps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

THRESHOLD = 0.01
"""Local maxima below this are ignored, as in DeepLabCut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakDecoding:
    """How heatmaps become candidates.

    Attributes:
        stride: pixels of the network's input per cell of the heatmap.
        locref_std: pixels per unit of the location refinement maps; None if the head has none.
        candidates: P, number of candidates per keypoint.
        radius: a peak is the highest cell in a window of this many cells. The blur kernel extends this far to each side.
        sigma: standard deviation of the Gaussian blur of heatmaps, in cells; 0 for none.
        apply_sigmoid: the heatmap holds logits.
        clip_scores: clip confidences to 0..1.
    """

    stride: float
    locref_std: float | None
    candidates: int
    radius: int = 5
    sigma: float = 1.0
    apply_sigmoid: bool = True
    clip_scores: bool = False


@dataclass(frozen=True, slots=True)
class Peaks:
    """Candidates; those of one keypoint are in reading order.

    Attributes:
        points: (N, K, P, 3) float32: x [px], y [px], confidence; pixels of the network's input. Missing: NaN, NaN, 0.
        rows, columns: (N, K, P) int64, cells of the candidates; 0 if missing.
        present: (N, K, P) bool.
    """

    points: Tensor
    rows: Tensor
    columns: Tensor
    present: Tensor


def find_peaks(heatmap: Tensor, locref: Tensor | None, decoding: PeakDecoding) -> Peaks:
    """Find the P most confident local maxima of each heatmap.

    With S = stride, cell (r, c) of keypoint k is at
    x = c * S + floor(S / 2) + locref_std * locref[2k, r, c],  y = r * S + floor(S / 2) + locref_std * locref[2k + 1, r, c],
    as in DeepLabCut. (For single animals it adds S / 2, which differs for odd strides, such as HRNet's of 1.)

    At most P maxima are kept, even if a heatmap is noisy or flat. Of equal maxima the first in reading order are kept,
    which matches DeepLabCut's stable sort.

    Args:
        heatmap: (N, K, h, w), of any floating-point type. The computation is in float32.
        locref: (N, 2K, h, w), channels x0, y0, x1, y1, ...; None for no refinement.
        decoding: stride, number of candidates, and flags.
    """
    width = heatmap.shape[3]
    maps = heatmap.to(torch.float32)
    if decoding.apply_sigmoid:
        maps = maps.sigmoid()
    if decoding.sigma > 0:
        maps = blur(maps, decoding.sigma, decoding.radius)
    highest = _highest_around(maps, decoding.radius)
    # Padding gives small maps at least P cells; the added cells are not peaks.
    cells = torch.where((maps == highest) & (maps >= THRESHOLD), maps, 0.0).flatten(2)
    cells = functional.pad(cells, (0, decoding.candidates))
    best = _highest_cells(cells, decoding.candidates)
    score = cells.gather(2, best)
    present = score > 0
    best = torch.where(present, best, 0)
    rows = torch.div(best, width, rounding_mode="floor")
    columns = best - rows * width  # not best % width: the ONNX exporter does not support a symbolic divisor in %
    centre = math.floor(decoding.stride / 2)
    x = columns.to(torch.float32) * decoding.stride + centre
    y = rows.to(torch.float32) * decoding.stride + centre
    if locref is not None and decoding.locref_std is not None:
        offsets = locref.reshape(best.shape[0], best.shape[1], 2, -1)  # (N, K, 2, h * w)
        refinement = offsets.gather(3, best.unsqueeze(2).expand(-1, -1, 2, -1)).to(torch.float32) * decoding.locref_std
        x = x + refinement[:, :, 0]
        y = y + refinement[:, :, 1]
    if decoding.clip_scores:
        score = score.clamp(0.0, 1.0)
    nan_if_missing = torch.where(present, 0.0, torch.nan)
    return Peaks(torch.stack([x + nan_if_missing, y + nan_if_missing, score], dim=3), rows, columns, present)


def blur(maps: Tensor, sigma: float, radius: int) -> Tensor:
    """Blur (N, K, h, w) with a normalised Gaussian kernel of 2 * radius + 1 cells, with zero padding."""
    reach = torch.arange(-radius, radius + 1, dtype=torch.float32, device=maps.device)
    weights = torch.softmax(-reach.square() / (2 * sigma**2), dim=0)
    kernel = torch.outer(weights, weights).expand(maps.shape[1], 1, -1, -1)
    return functional.conv2d(maps, kernel, padding=radius, groups=maps.shape[1])


def _highest_around(maps: Tensor, size: int) -> Tensor:
    """Return the maximum over a window of `size` x `size` around each cell: 20 times as fast as max_pool2d on a CPU."""
    height, width = maps.shape[2:]
    before, after = size // 2, (size - 1) // 2
    rows = functional.pad(maps, (before, after, 0, 0), value=-torch.inf)
    highest = rows[..., :width]
    for shift in range(1, size):
        highest = torch.maximum(highest, rows[..., shift : shift + width])
    columns = functional.pad(highest, (0, 0, before, after), value=-torch.inf)
    highest = columns[..., :height, :]
    for shift in range(1, size):
        highest = torch.maximum(highest, columns[..., shift : shift + height, :])
    return highest


def _highest_cells(cells: Tensor, count: int) -> Tensor:
    """Return the indices (N, K, count) of the highest of (N, K, cells), in reading order; of equal cells the first.

    Neither torch nor ONNX specifies which of equal cells top-k returns on every device. So top-k gives only the lowest value
    to keep; the result is all cells above it, then the first cells equal to it until `count` is reached.
    """
    last = cells.topk(count, dim=2).values[..., -1:]
    higher, equal = cells > last, cells == last
    room = count - higher.sum(dim=2, keepdim=True)
    selected = higher | (equal & (equal.cumsum(dim=2, dtype=torch.int32) <= room))
    # Indices as floats are exact up to 2 ** 24 cells and distinct, so top-k is deterministic.
    indices = torch.arange(cells.shape[2], dtype=torch.float32, device=cells.device)
    order = torch.where(selected, -indices, -torch.inf)
    return order.topk(count, dim=2).indices
