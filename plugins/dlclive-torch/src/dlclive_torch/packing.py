"""Pack several arrays into one buffer, so that a single copy moves them to the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of named float32 arrays in a flat array: consecutive, in row-major order."""

    shapes: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Layout:
        """Return the layout of `pack(tensors)`."""
        return cls({name: tuple(tensor.shape) for name, tensor in tensors.items()})

    def unpack(self, flat: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return the arrays as copies, which the caller may keep."""
        copy, arrays, begin = flat.copy(), {}, 0
        for name, shape in self.shapes.items():
            end = begin + int(np.prod(shape))
            arrays[name] = copy[begin:end].reshape(shape)
            begin = end
        return arrays


def pack(tensors: Mapping[str, Tensor]) -> Tensor:
    """Concatenate float32 tensors to one flat tensor on their device."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors.values()])
