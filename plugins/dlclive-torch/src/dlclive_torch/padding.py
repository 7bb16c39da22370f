"""Reflection padding at the bottom and right, for any size, traceable with dynamic height and width."""

from __future__ import annotations

import torch
from torch import Tensor


def reflected_indices(length: int, padded: int, device: torch.device) -> Tensor:
    """Return the source position in 0..length-1 of each of `padded` positions.

    The picture is reflected at its last pixel, which is not repeated (101), and again at the first if the padding is
    longer than the picture: 0 1 2 3 -> 0 1 2 3 2 1 0 1 2. `length` and `padded` may be symbolic.
    """
    turn = length - 1
    # At least 1, for one pixel. A tensor, because torch.export assumes that a dynamic length exceeds 1 and drops the clamp.
    period = torch.full((), 2 * turn, device=device).clamp(min=1)
    positions = torch.arange(padded, device=device)
    # not %: the ONNX exporter does not support a symbolic divisor there
    turns = torch.div(positions, period, rounding_mode="floor")
    return turn - (positions - turns * period - turn).abs()


def round_up(length: int, divisor: int) -> int:
    """Return the next multiple of `divisor`, without math.ceil, which does not support a symbolic length."""
    return (length + divisor - 1) // divisor * divisor


def pad_reflected(images: Tensor, divisor: tuple[int, int]) -> Tensor:
    """Pad (N, H, W, C) at the bottom and right up to multiples of `divisor` (height, width)."""
    for axis, step in ((1, divisor[0]), (2, divisor[1])):
        if step > 1:
            length = images.shape[axis]
            indices = reflected_indices(length, round_up(length, step), images.device)
            images = images.index_select(axis, indices)
    return images
