"""Candidates for keypoints: the surest local maxima of heatmaps, a fixed number of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

THRESHOLD = 0.01
"""Local maxima that are lower are none, as in DeepLabCut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakDecoding:
    """How heatmaps become candidates.

    Attributes:
        stride: pixels of the network's input per cell of the heatmap.
        locref_std: pixels per unit of the location refinement maps; None where the head has none.
        candidates: P, how many are kept for each keypoint.
        radius: a peak is the highest cell of the window of this many cells around it. Its blur reaches as far to each side.
        sigma: of the Gaussian that heatmaps are blurred with, in cells; 0 for none.
        apply_sigmoid: the heatmap holds logits.
        clip_scores: confidences are cut to 0..1.
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
    """Candidates, those of one keypoint in reading order.

    Attributes:
        points: (N, K, P, 3) float32: x [px], y [px], confidence; pixels of the network's input. Not there: NaN, NaN, 0.
        rows, columns: (N, K, P) int64, their cells; 0 where they are not there.
        present: (N, K, P) bool.
    """

    points: Tensor
    rows: Tensor
    columns: Tensor
    present: Tensor


def find_peaks(heatmap: Tensor, locref: Tensor | None, decoding: PeakDecoding) -> Peaks:
    """Find the P surest local maxima of each heatmap.

    With S = stride, cell (r, c) of keypoint k is at
    x = c * S + floor(S / 2) + locref_std * locref[2k, r, c],  y = r * S + floor(S / 2) + locref_std * locref[2k + 1, r, c],
    as DeepLabCut has it. (It adds S / 2 for single animals: the two differ for odd strides, such as HRNet's of 1.)

    However many maxima there are, in noise or where a heatmap is flat, P of them are kept: of equal ones the first in
    reading order, because it is those that DeepLabCut's stable sort would take.

    Args:
        heatmap: (N, K, h, w), of any floating-point type. All is done in float32.
        locref: (N, 2K, h, w), channels x0, y0, x1, y1, ...; None where there is no refinement.
        decoding: stride, number of candidates, and flags.
    """
    width = heatmap.shape[3]
    maps = heatmap.to(torch.float32)
    if decoding.apply_sigmoid:
        maps = maps.sigmoid()
    if decoding.sigma > 0:
        maps = blur(maps, decoding.sigma, decoding.radius)
    highest = _highest_around(maps, decoding.radius)
    # The cells added at the end, so that small maps have P of them, are not peaks.
    cells = torch.where((maps == highest) & (maps >= THRESHOLD), maps, 0.0).flatten(2)
    cells = functional.pad(cells, (0, decoding.candidates))
    best = _surest(cells, decoding.candidates)
    score = cells.gather(2, best)
    present = score > 0
    best = torch.where(present, best, 0)
    rows = torch.div(best, width, rounding_mode="floor")
    columns = best - rows * width  # not best % width: the ONNX exporter takes no symbolic divisor there
    centre = math.floor(decoding.stride / 2)
    x = columns.to(torch.float32) * decoding.stride + centre
    y = rows.to(torch.float32) * decoding.stride + centre
    if locref is not None and decoding.locref_std is not None:
        offsets = locref.reshape(best.shape[0], best.shape[1], 2, -1)  # (N, K, 2, h * w)
        chosen = offsets.gather(3, best.unsqueeze(2).expand(-1, -1, 2, -1)).to(torch.float32) * decoding.locref_std
        x = x + chosen[:, :, 0]
        y = y + chosen[:, :, 1]
    if decoding.clip_scores:
        score = score.clamp(0.0, 1.0)
    nowhere = torch.where(present, 0.0, torch.nan)
    return Peaks(torch.stack([x + nowhere, y + nowhere, score], dim=3), rows, columns, present)


def blur(maps: Tensor, sigma: float, radius: int) -> Tensor:
    """Blur (N, K, h, w) with a Gaussian of 2 * radius + 1 cells whose weights sum to one; beyond the border are zeros."""
    reach = torch.arange(-radius, radius + 1, dtype=torch.float32, device=maps.device)
    weights = torch.softmax(-reach.square() / (2 * sigma**2), dim=0)
    kernel = torch.outer(weights, weights).expand(maps.shape[1], 1, -1, -1)
    return functional.conv2d(maps, kernel, padding=radius, groups=maps.shape[1])


def _highest_around(maps: Tensor, size: int) -> Tensor:
    """The highest cell of the window of `size` x `size` around each: max_pool2d, which takes 20 times as long on a CPU."""
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


def _surest(cells: Tensor, count: int) -> Tensor:
    """Places (N, K, count) of the highest of (N, K, cells), in reading order; of equal cells the first.

    Neither torch nor ONNX say which of equal cells their top-k takes on every device, so it is asked for the value of
    the last one to be taken, and then for the first places that have more, or as much while there is room.
    """
    last = cells.topk(count, dim=2).values[..., -1:]
    higher, equal = cells > last, cells == last
    room = count - higher.sum(dim=2, keepdim=True)
    taken = higher | (equal & (equal.cumsum(dim=2, dtype=torch.int32) <= room))
    # Places as floats are exact up to 2 ** 24 cells, and all differ: top-k has no choice.
    places = torch.arange(cells.shape[2], dtype=torch.float32, device=cells.device)
    order = torch.where(taken, -places, -torch.inf)
    return order.topk(count, dim=2).indices
