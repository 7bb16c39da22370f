"""Set how cuDNN computes convolutions while our networks run, and restore the user's settings afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def convolutions(*, strict: bool, search: bool = False) -> Iterator[None]:
    """Set how convolutions and matrix products are computed inside the block, for the whole process.

    Args:
        strict: true float32, without TF32 (ten bits of mantissa), PyTorch's default for convolutions.
        search: benchmark cuDNN's algorithms at the first run of each shape and use the fastest, instead of a heuristic.
    """
    cudnn = torch.backends.cudnn
    matmul_precision = torch.get_float32_matmul_precision()
    with cudnn.flags(
        enabled=cudnn.enabled,
        benchmark=search or cudnn.benchmark,
        deterministic=cudnn.deterministic,
        allow_tf32=not strict and cudnn.allow_tf32,
    ):
        if strict and matmul_precision != "highest":
            torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            if strict and matmul_precision != "highest":
                torch.set_float32_matmul_precision(matmul_precision)
