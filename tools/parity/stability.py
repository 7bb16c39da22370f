"""Whether a result is stable under rounding: DeepLabCut's own results, compared under jolted weights. Needs deeplabcut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

ROUNDING = 1e-6
"""The relative change of all weights, of the order of float32 rounding, that must not change a stable result."""


@contextmanager
def jolted(model: nn.Module) -> Iterator[None]:
    """Within the block, all weights are changed by about `ROUNDING` of their size. They are restored afterwards."""
    original = {name: value.clone() for name, value in model.state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 + ROUNDING * torch.randn(parameter.shape, generator=generator))
    yield
    model.load_state_dict(original)


def difference(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The largest difference of two arrays; infinite if their shapes or missing values differ."""
    if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
        return float("inf")
    return float(np.abs(a - b)[np.isfinite(a)].max(initial=0.0))
