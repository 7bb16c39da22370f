"""Which device and precision a model runs in; never another one than was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch

from dlclive_core import Setting, UsageError

DTYPES: Mapping[str, torch.dtype] = MappingProxyType(
    {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
)
"""The type of the arithmetic in each precision."""


def resolve_device(name: str) -> torch.device:
    """Return the device of a name: "auto" (the first that there is of cuda, mps, cpu), "cpu", "cuda", "cuda:1", "mps".

    Raises:
        UsageError: it is not there; the message names those that are.
    """
    there = available_devices()
    if name == "auto":
        return torch.device(next((item for item in there if item != "cpu"), "cpu"))
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in there:
        raise UsageError(f"no device {name!r} for PyTorch here; there is: auto, {', '.join(there)}")
    return torch.device(wanted)


def available_devices() -> list[str]:
    """The devices that PyTorch can use here, the fastest first."""
    devices = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def describe_device(device: torch.device) -> str:
    """The device's name for reports: "cpu", "cuda:0 (NVIDIA RTX 4090)", "mps"."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


def check_dtype(device: torch.device, dtype: torch.dtype) -> None:
    """Raise UsageError if PyTorch has no convolutions of this type on this device; tried on one pixel."""
    try:
        pixel = torch.zeros((1, 1, 1, 1), dtype=dtype, device=device)
        torch.nn.functional.conv_transpose2d(torch.nn.functional.conv2d(pixel, pixel), pixel)
    except RuntimeError as error:
        able = ", ".join(name for name in available_devices() if name != str(device)) or "none here"
        raise UsageError(f"PyTorch cannot compute in {dtype} on {device} ({error}); other devices: {able}") from None


def resolve_dtype(precision: str) -> torch.dtype:
    """Return the type of the arithmetic: "auto" is fp32, the precision of DeepLabCut's files.

    Raises:
        UsageError: there is no such precision.
    """
    if precision not in ("auto", *DTYPES):
        raise UsageError(f"PyTorch models have no precision {precision!r}: choose from auto, {', '.join(DTYPES)}")
    return DTYPES["fp32" if precision == "auto" else precision]


def name_dtype(dtype: torch.dtype) -> str:
    """The precision that a type of arithmetic is."""
    return next(name for name, known in DTYPES.items() if known == dtype)


def settings_here() -> list[Setting]:
    """The devices of this computer, each with the precisions that its hardware has.

    Others can be asked for where PyTorch computes them all the same, but they are slower than fp32: half precision on most
    CPUs is converted to and fro.
    """
    return [Setting(device, precision) for device in available_devices() for precision in _native(torch.device(device))]


def _native(device: torch.device) -> tuple[str, ...]:
    if device.type == "cuda":
        # bf16 came with compute capability 8.0 (Ampere); before, PyTorch emulates it
        return ("fp32", "fp16", "bf16") if torch.cuda.get_device_capability(device) >= (8, 0) else ("fp32", "fp16")
    if device.type == "mps":
        return ("fp32", "fp16")
    return ("fp32", "bf16") if cpu_has_bf16() else ("fp32",)


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 by itself: AVX512_BF16 or AMX on x86, BF16 on ARM."""
    has: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older versions of PyTorch do not tell
    return any(has.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
