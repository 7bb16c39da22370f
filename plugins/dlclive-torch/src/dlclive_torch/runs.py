"""Run a module on arrays of the host, without a CUDA graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class PlainRuns:
    """Runs a module on the CPU, or on a device to which it copies the arrays.

    Args:
        module: on `place`, in eval mode; returns float32 tensors by name.
        place: the device.
    """

    def __init__(self, module: nn.Module, place: torch.device) -> None:
        self._module, self._device = module, place

    def run(self, arrays: Sequence[NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run the module on arrays and return new arrays."""
        with torch.inference_mode():
            outputs = self._module(*(as_tensor(array).to(self._device) for array in arrays))
            return {name: tensor.cpu().numpy() for name, tensor in outputs.items()}


def as_tensor(array: NDArray[Any]) -> Tensor:
    """Return the array as a tensor. Copies arrays that are read-only, which torch warns about, or not contiguous."""
    return torch.from_numpy(array if array.flags.writeable and array.flags.c_contiguous else array.copy())
