"""The floating-point type of what half precision is too coarse for: coordinates, long sums, decoding."""

from __future__ import annotations

import torch
from torch import Tensor


def widen(values: Tensor) -> Tensor:
    """Return the values in float32, or unchanged if they are in float64, so that a network in float64 is so to its end."""
    return values.to(wide_dtype(values))


def wide_dtype(values: Tensor) -> torch.dtype:
    """Return the type of `widen(values)`."""
    return torch.float64 if values.dtype == torch.float64 else torch.float32
