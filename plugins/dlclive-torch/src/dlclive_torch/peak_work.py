"""PyTorch calls that saturate a device, to measure the peak that benchmarks compare with."""

from __future__ import annotations

import torch
from torch.nn import functional

from dlclive_core.runtimes import PeakWork

_CHANNELS, _CELLS = 256, 56  # of a convolution, typical of networks
_GPU_SIDE = 8192
_DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def peak_work(device: str) -> list[PeakWork]:
    """Return a convolution in fp32 for "cpu", matrix products in each precision for CUDA devices, and nothing for others."""
    kind = device.partition(":")[0]
    if kind == "cpu":
        return [_convolution()]
    if kind == "cuda" and torch.cuda.is_available():
        return [_product(device, precision) for precision in _DTYPES]
    return []


def _convolution() -> PeakWork:
    """A 1 x 1 convolution: a matrix product, to which Winograd's algorithm does not apply.

    On CPUs with wide vectors it is up to twice as fast as numpy's matrix product, whose library may use half of the width.
    """
    image = torch.rand(1, _CHANNELS, _CELLS, _CELLS).contiguous(memory_format=torch.channels_last)
    weights = torch.rand(_CHANNELS, _CHANNELS, 1, 1).contiguous(memory_format=torch.channels_last)

    def convolve() -> None:
        with torch.inference_mode():
            functional.conv2d(image, weights)

    return PeakWork("fp32", convolve, 2.0 * _CELLS**2 * _CHANNELS**2, "a 1 x 1 convolution by torch")


def _product(device: str, precision: str) -> PeakWork:
    matrix: list[torch.Tensor] = []

    def multiply() -> None:
        if not matrix:  # allocated in the first call, which is not timed: models may leave little memory
            matrix.append(torch.rand(_GPU_SIDE, _GPU_SIDE, device=device, dtype=_DTYPES[precision]))
        allowed = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = False
        try:
            torch.matmul(matrix[0], matrix[0])
            torch.cuda.synchronize(device)
        finally:
            torch.backends.cuda.matmul.allow_tf32 = allowed

    description = f"products of two matrices of {_GPU_SIDE} x {_GPU_SIDE} by torch"
    return PeakWork(precision, multiply, 2.0 * _GPU_SIDE**3, description)
