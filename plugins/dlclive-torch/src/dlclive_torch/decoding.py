"""From a head's maps to keypoints, in torch: batched, and traceable by the ONNX exporter."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dlclive_core.runtimes import HeatmapDecoding

ReadCells = Callable[[Tensor, Tensor], Tensor]
"""Maps rows and columns (N, K) int64, one cell per keypoint, to the location refinements x, y there, (N, K, 2) float32."""


def decode_heatmap(heatmap: Tensor, locref: Tensor | ReadCells | None, decoding: HeatmapDecoding) -> Tensor:
    """Take the highest cell of each heatmap, and add the location refinement to its centre.

    With S = stride and (r, c) the highest cell, the first in reading order if several are equal:
    x = c * S + S / 2 + locref_std * locref[2k, r, c],  y = r * S + S / 2 + locref_std * locref[2k + 1, r, c].
    This is how DeepLabCut decodes single-animal heatmaps. The computation is always in float32, because half precision has
    no odd integers above 2048.

    Args:
        heatmap: (N, K, h, w).
        locref: (N, 2K, h, w), channels x0, y0, x1, y1, ..., or a function that computes them only at the highest cells; None
            for no refinement.
        decoding: stride and flags.

    Returns:
        (N, 1, K, 3) float32: x [px], y [px], confidence; pixels of the network's input.
    """
    width = heatmap.shape[3]
    cells = heatmap.flatten(2)
    best = cells.argmax(dim=2, keepdim=True)  # the first of equal cells, in torch and in ONNX
    score = cells.gather(2, best).squeeze(2).to(torch.float32)
    if decoding.apply_sigmoid:  # monotonic, so the highest cell stays the same
        score = score.sigmoid()
    if decoding.clip_scores:
        score = score.clamp(0.0, 1.0)
    cell = best.squeeze(2)
    row = torch.div(cell, width, rounding_mode="floor")
    column = cell - row * width  # not cell % width: the ONNX exporter does not support a symbolic divisor in %
    x = column.to(torch.float32) * decoding.stride + 0.5 * decoding.stride
    y = row.to(torch.float32) * decoding.stride + 0.5 * decoding.stride
    if locref is not None and decoding.locref_std is not None:
        offsets = _look_up(locref, best) if isinstance(locref, Tensor) else locref(row, column)
        x = x + offsets[..., 0] * decoding.locref_std
        y = y + offsets[..., 1] * decoding.locref_std
    return torch.stack([x, y, score], dim=2).unsqueeze(1)


def _look_up(locref: Tensor, cells: Tensor) -> Tensor:
    """Return both values (N, K, 2) in float32 of the maps (N, 2K, h, w) at one cell (N, K, 1) per keypoint."""
    maps = locref.reshape(*cells.shape[:2], 2, -1)  # (N, K, 2, h * w)
    return maps.gather(3, cells.unsqueeze(2).expand(-1, -1, 2, -1)).squeeze(3).to(torch.float32)
