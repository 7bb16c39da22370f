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
    """Return the array as a tensor. Copies arrays that are not contiguous; read-only ones, which torch warns about, are shared.

    The images of a session are read-only, and no network writes into its input.
    """
    if not array.flags.c_contiguous:
        array = array.copy()
    return torch.from_numpy(array if array.flags.writeable else np.asarray(_Memory(array)))


class _Memory:
    """The memory of an array, for numpy to see without the mark that it is read-only."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array  # keeps the memory
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}
