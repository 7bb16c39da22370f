"""How cuDNN computes convolutions while a network of ours runs; afterwards it is as the user had it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def convolutions(*, strict: bool, search: bool = False) -> Iterator[None]:
    """Inside, convolutions and products of matrices are computed in this way, in the whole process.

    Args:
        strict: in true float32: without TF32, of ten bits of mantissa, which PyTorch uses for convolutions by default.
        search: measure cuDNN's algorithms at the first run of each shape and take the fastest, in place of a guess.
    """
    now = torch.backends.cudnn
    matrices = torch.get_float32_matmul_precision()
    with now.flags(
        enabled=now.enabled,
        benchmark=search or now.benchmark,
        deterministic=now.deterministic,
        allow_tf32=not strict and now.allow_tf32,
    ):
        if strict and matrices != "highest":
            torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            if strict and matrices != "highest":
                torch.set_float32_matmul_precision(matrices)
