"""Resolve a model's device and precision. There is no fallback to another one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch

from dlclive_core import Setting, UsageError

DTYPES: Mapping[str, torch.dtype] = MappingProxyType(
    {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
)
"""The dtype of each precision."""


def resolve_device(name: str) -> torch.device:
    """Return the device of a name: "auto" (the first available of cuda, mps, cpu), "cpu", "cuda", "cuda:1", "mps".

    Raises:
        UsageError: the device is not available; the message lists the available ones.
    """
    available = available_devices()
    if name == "auto":
        return torch.device(next((item for item in available if item != "cpu"), "cpu"))
    full_name = "cuda:0" if name == "cuda" else name
    if full_name not in available:
        raise UsageError(f"PyTorch has no device {name!r} here; available: auto, {', '.join(available)}")
    return torch.device(full_name)


def available_devices() -> list[str]:
    """Return the devices that PyTorch can use here, fastest first."""
    devices = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def describe_device(device: torch.device) -> str:
    """Return the device's name for reports: "cpu", "cuda:0 (NVIDIA RTX 4090)", "mps"."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


def check_dtype(device: torch.device, dtype: torch.dtype) -> None:
    """Raise UsageError if PyTorch has no convolutions of this dtype on this device. Runs them on one pixel."""
    try:
        pixel = torch.zeros((1, 1, 1, 1), dtype=dtype, device=device)
        torch.nn.functional.conv_transpose2d(torch.nn.functional.conv2d(pixel, pixel), pixel)
    except RuntimeError as error:
        others = ", ".join(name for name in available_devices() if name != str(device)) or "none here"
        raise UsageError(f"PyTorch cannot compute in {dtype} on {device} ({error}); other devices: {others}") from None


def resolve_dtype(precision: str) -> torch.dtype:
    """Return the dtype of a precision: "auto" is fp32, the precision of DeepLabCut's files.

    Raises:
        UsageError: the precision is unknown.
    """
    if precision not in ("auto", *DTYPES):
        raise UsageError(f"PyTorch models have no precision {precision!r}: choose from auto, {', '.join(DTYPES)}")
    return DTYPES["fp32" if precision == "auto" else precision]


def name_dtype(dtype: torch.dtype) -> str:
    """Return the precision of a dtype."""
    return next(name for name, known in DTYPES.items() if known == dtype)


def settings_here() -> list[Setting]:
    """Return the devices of this computer, each with its native precisions.

    PyTorch may support other precisions by conversion, such as half precision on most CPUs, but they are slower than fp32.
    """
    return [Setting(device, precision) for device in available_devices() for precision in _native(torch.device(device))]


def _native(device: torch.device) -> tuple[str, ...]:
    if device.type == "cuda":
        # bf16 needs compute capability 8.0 (Ampere); on older GPUs PyTorch emulates it
        return ("fp32", "fp16", "bf16") if torch.cuda.get_device_capability(device) >= (8, 0) else ("fp32", "fp16")
    if device.type == "mps":
        return ("fp32", "fp16")
    return ("fp32", "bf16") if cpu_has_bf16() else ("fp32",)


def cpu_has_bf16() -> bool:
    """Return whether the CPU multiplies bfloat16 natively: AVX512_BF16 or AMX on x86, BF16 on ARM."""
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # missing in older PyTorch
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
