"""Runs of a module on arrays of the host, command by command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class PlainRuns:
    """Runs a module on the CPU, or on a device to which arrays are copied.

    Args:
        module: on `place`, in eval mode; gives float32 tensors by name.
        place: the device.
    """

    def __init__(self, module: nn.Module, place: torch.device) -> None:
        self._module, self._place = module, place

    def run(self, arrays: Sequence[NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Arrays in, new arrays out."""
        with torch.inference_mode():
            outputs = self._module(*(as_tensor(array).to(self._place) for array in arrays))
            return {name: tensor.cpu().numpy() for name, tensor in outputs.items()}


def as_tensor(array: NDArray[Any]) -> Tensor:
    """The same numbers as torch takes them: not read-only (it would warn) and without negative strides."""
    return torch.from_numpy(array if array.flags.writeable and array.flags.c_contiguous else array.copy())
