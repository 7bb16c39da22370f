"""Antialiased bilinear resizing as two matrix products: exact, and traceable for any height and width."""

from __future__ import annotations

import torch
from torch import Tensor


def resize_antialiased(maps: Tensor, height: int, width: int) -> Tensor:
    """Resize (N, C, h, w) to (N, C, height, width), as `interpolate(mode="bilinear", antialias=True)` does.

    Sizes may be symbolic. Resizing is linear and the same in every row, so it is one matrix product per axis. ONNX has an
    antialiased resize as well, but not every runtime supports it.
    """
    rows = _weights(maps.shape[2], height, maps.device).to(maps.dtype)
    columns = _weights(maps.shape[3], width, maps.device).to(maps.dtype)
    return torch.matmul(torch.matmul(rows, maps), columns.transpose(0, 1))


def _weights(length: int, target: int, device: torch.device) -> Tensor:
    """(target, length): weights of the old cells in each new cell, a triangle around its centre.

    Each row sums to one, even if its triangle extends beyond the edge.
    """
    # Tensors, because the tracer must not decide which of two symbolic lengths is longer.
    step = torch.full((), length, device=device, dtype=torch.float32) / target
    reach = step.clamp(min=1.0)
    centres = (torch.arange(target, device=device, dtype=torch.float32) + 0.5) * step
    cells = torch.arange(length, device=device, dtype=torch.float32) + 0.5
    shares = (1.0 - (cells - centres.unsqueeze(1)).abs() / reach).clamp(min=0.0)
    return shares / shares.sum(dim=1, keepdim=True)
