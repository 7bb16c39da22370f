"""Checks that an engine fits this computer, before any of it is loaded."""

from __future__ import annotations

import re

import tensorrt as trt

from dlclive_core import DependencyError, UnsupportedModelError, UsageError
from dlclive_tensorrt.cuda import Gpu, gpus
from dlclive_tensorrt.engine_file import EngineCard

MAJOR = "11"
"""The major version of TensorRT that this package supports."""


def choose_gpu(device: str) -> Gpu:
    """The GPU with this device name; "auto" and "cuda" select the first one.

    Raises:
        UsageError: the device is not a GPU or does not exist.
        DependencyError: there is no GPU or no driver.
    """
    match = re.fullmatch(r"auto|cuda(?::(\d+))?", device.lower())
    if match is None:
        raise UsageError(
            f"TensorRT runs on NVIDIA GPUs only and has no device {device!r}: choose auto, cuda or cuda:<number>"
        )
    available = gpus()
    if not available:
        raise DependencyError("TensorRT needs an NVIDIA GPU and its driver; none responds: check with nvidia-smi")
    index = int(match[1] or 0)
    if index >= len(available):
        raise UsageError(f"no GPU {device!r} here; available: {', '.join(map(str, available))}")
    return available[index]


def check_tensorrt() -> None:
    """Raise DependencyError if this package does not support the installed TensorRT."""
    if trt.__version__.partition(".")[0] != MAJOR:
        raise DependencyError(
            f"dlclive-tensorrt needs TensorRT {MAJOR}, but {trt.__version__} is installed; run: "
            "pip install dlclive-tensorrt"
        )


def find_mismatch(card: EngineCard, gpu: Gpu) -> str:
    """The reason why an engine does not fit a GPU here; empty if it fits."""
    if (card.gpu, card.capability) != (gpu.name, gpu.capability):
        return f"was built for {card.gpu} (compute capability {card.capability}), but this is {gpu} ({gpu.capability})"
    if card.tensorrt != trt.__version__:
        return f"was built with TensorRT {card.tensorrt}, but {trt.__version__} is installed"
    return ""


def check_fit(card: EngineCard, gpu: Gpu, name: str) -> None:
    """Raise UnsupportedModelError with the reason and a remedy if the engine called `name` does not fit."""
    reason = find_mismatch(card, gpu)
    if reason:
        raise UnsupportedModelError(
            f"{name} {reason}: an engine runs only where it was built; export it here: dlclive export MODEL.onnx {name}"
        )
