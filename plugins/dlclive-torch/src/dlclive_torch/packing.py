"""Several arrays in one piece of memory, so that one copy brings them all to the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each of some named float32 arrays is in a flat one: they follow each other, row by row."""

    shapes: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Layout:
        """The layout of `pack(tensors)`."""
        return cls({name: tuple(tensor.shape) for name, tensor in tensors.items()})

    def unpack(self, flat: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The arrays, as copies that the caller may keep."""
        whole, arrays, begin = flat.copy(), {}, 0
        for name, shape in self.shapes.items():
            end = begin + int(np.prod(shape))
            arrays[name] = whole[begin:end].reshape(shape)
            begin = end
        return arrays


def pack(tensors: Mapping[str, Tensor]) -> Tensor:
    """Float32 tensors as one flat tensor on their device."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors.values()])
