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
    """The same numbers as torch takes them: not read-only (it would warn) and without negative strides.

    The images of a session are read-only; they are not copied, and no network writes into its input.
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
