"""Which device and precision a model runs in; never another one than was asked for."""

from __future__ import annotations

import torch

from dlclive_core.errors import UsageError

PRECISIONS = ("fp32", "fp16")


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
    if precision not in ("auto", *PRECISIONS):
        raise UsageError(f"PyTorch models have no precision {precision!r}: choose from auto, {', '.join(PRECISIONS)}")
    return torch.float16 if precision == "fp16" else torch.float32
