"""How many operations a network takes, counted by PyTorch's own counter."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def count_operations(module: nn.Module, inputs: Sequence[Tensor]) -> float:
    """Floating-point operations of the convolutions and products of matrices of one run; 2 for multiply and add."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return float(counter.get_total_flops())
