"""From a head's maps to keypoints, in torch: differentiable or not, batched, and traceable by the ONNX exporter."""

from __future__ import annotations

import torch
from torch import Tensor

from dlclive_core.deeplabcut import HeatmapDecoding


def decode_heatmap(heatmap: Tensor, locref: Tensor | None, decoding: HeatmapDecoding) -> Tensor:
    """Take the highest cell of each heatmap, and move from its centre by the location refinement.

    With S = stride, (r, c) the highest cell, the first one in reading order where several are equal:
    x = c * S + S / 2 + locref_std * locref[2k, r, c],  y = r * S + S / 2 + locref_std * locref[2k + 1, r, c].
    This is how DeepLabCut decodes single-animal heatmaps. It is done in float32 whatever the maps are, because half
    precision has no odd integers above 2048.

    Args:
        heatmap: (N, K, h, w).
        locref: (N, 2K, h, w), channels x0, y0, x1, y1, ...; None where there is no refinement.
        decoding: stride and flags.

    Returns:
        (N, 1, K, 3) float32: x [px], y [px], confidence; pixels of the network's input.
    """
    width = heatmap.shape[3]
    cells = heatmap.flatten(2)
    best = cells.argmax(dim=2, keepdim=True)  # the first of equal ones, in torch as in ONNX
    score = cells.gather(2, best).squeeze(2).to(torch.float32)
    if decoding.apply_sigmoid:  # it keeps the order, so the highest cell is the same before and after
        score = score.sigmoid()
    if decoding.clip_scores:
        score = score.clamp(0.0, 1.0)
    row = torch.div(best, width, rounding_mode="floor")
    column = best - row * width  # not best % width: the ONNX exporter takes no symbolic divisor there
    x = column.squeeze(2).to(torch.float32) * decoding.stride + 0.5 * decoding.stride
    y = row.squeeze(2).to(torch.float32) * decoding.stride + 0.5 * decoding.stride
    if locref is not None and decoding.locref_std is not None:
        offsets = locref.reshape(*best.shape[:2], 2, -1)  # (N, K, 2, h * w)
        chosen = offsets.gather(3, best.unsqueeze(2).expand(-1, -1, 2, -1)).squeeze(3).to(torch.float32)
        x = x + chosen[..., 0] * decoding.locref_std
        y = y + chosen[..., 1] * decoding.locref_std
    return torch.stack([x, y, score], dim=2).unsqueeze(1)
