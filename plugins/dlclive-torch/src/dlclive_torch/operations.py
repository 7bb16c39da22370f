"""Count a network's floating-point operations with PyTorch's counter."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def count_operations(module: nn.Module, inputs: Sequence[Tensor]) -> float:
    """Return the floating-point operations of the convolutions and matrix products in one run; multiply-add counts as 2."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return float(counter.get_total_flops())
