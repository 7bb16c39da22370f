"""The most operations per second that PyTorch reaches on a device, for benchmarks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

_CHANNELS, _CELLS = 256, 56  # of a convolution, as networks have them
_GPU_SIDE = 8192


def measure_peak(device: str, seconds: float) -> Mapping[str, float]:
    """Floating-point operations per second by precision; see `RuntimeInfo.peak`.

    On a CPU with a convolution of 1 x 1, a product without Winograd's trick: on CPUs with wide vectors it is up to twice as
    fast as numpy's products, whose library may use half of the width. On a GPU with products of two matrices, and only if
    PyTorch is loaded already: loading it would take memory from the runtime that is measured.
    """
    if device == "cpu":
        return {"fp32": _convolution(seconds)}
    if device.startswith("cuda") and "torch" in sys.modules:
        return _products(device, seconds)
    return {}


def _convolution(seconds: float) -> float:
    import torch

    with torch.inference_mode():
        image = torch.rand(1, _CHANNELS, _CELLS, _CELLS).contiguous(memory_format=torch.channels_last)
        weights = torch.rand(_CHANNELS, _CHANNELS, 1, 1).contiguous(memory_format=torch.channels_last)
        operations = 2.0 * _CELLS**2 * _CHANNELS**2
        return _best(lambda: torch.nn.functional.conv2d(image, weights), operations, seconds)


def _products(device: str, seconds: float) -> Mapping[str, float]:
    import torch

    flops: dict[str, float] = {}
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        for name, dtype in (("fp32", torch.float32), ("fp16", torch.float16), ("bf16", torch.bfloat16)):
            a = torch.rand(_GPU_SIDE, _GPU_SIDE, device=device, dtype=dtype)

            def multiply(a: torch.Tensor = a) -> None:
                torch.matmul(a, a)
                torch.cuda.synchronize(device)

            flops[name] = _best(multiply, 2.0 * _GPU_SIDE**3, seconds)
    except RuntimeError:  # too little memory beside the models
        pass
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
    return flops


def _best(multiply: Callable[[], object], operations: float, seconds: float) -> float:
    """Operations per second of the fastest of many calls, each of so many operations."""
    multiply()
    fastest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end or fastest == float("inf"):
        began = time.perf_counter()
        multiply()
        fastest = min(fastest, time.perf_counter() - began)
    return operations / fastest
