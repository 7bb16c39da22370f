"""Does an engine fit this computer? Asked before anything of it is loaded."""

from __future__ import annotations

import re

import tensorrt as trt

from dlclive_core import DependencyError, UnsupportedModelError, UsageError
from dlclive_tensorrt.cuda import Gpu, gpus
from dlclive_tensorrt.engine_file import EngineCard

MAJOR = "11"
"""The TensorRT that this package is written for."""


def choose_gpu(device: str) -> Gpu:
    """The GPU of a device's name: "auto" and "cuda" mean the first one.

    Raises:
        UsageError: it is no GPU, or it is not there.
        DependencyError: there is none, or no driver.
    """
    match = re.fullmatch(r"auto|cuda(?::(\d+))?", device.lower())
    if match is None:
        raise UsageError(
            f"TensorRT runs on NVIDIA GPUs and has no device {device!r}: choose auto, cuda or cuda:<number>"
        )
    there = gpus()
    if not there:
        raise DependencyError("TensorRT needs an NVIDIA GPU and its driver, and none answers: check with nvidia-smi")
    index = int(match[1] or 0)
    if index >= len(there):
        raise UsageError(f"no GPU {device!r} here; there is: {', '.join(map(str, there))}")
    return there[index]


def check_tensorrt() -> None:
    """DependencyError if the installed TensorRT is not of the version that this package is written for."""
    if trt.__version__.partition(".")[0] != MAJOR:
        raise DependencyError(
            f"dlclive-tensorrt is written for TensorRT {MAJOR}, and {trt.__version__} is installed; run: "
            "pip install 'dlclive-tensorrt[gpu]'"
        )


def find_mismatch(card: EngineCard, gpu: Gpu) -> str:
    """Why an engine does not fit a GPU here, empty if it does."""
    if (card.gpu, card.capability) != (gpu.name, gpu.capability):
        return f"was built for {card.gpu} (compute capability {card.capability}), and this is {gpu} ({gpu.capability})"
    if card.tensorrt != trt.__version__:
        return f"was built with TensorRT {card.tensorrt}, and {trt.__version__} is installed"
    return ""


def check_fit(card: EngineCard, gpu: Gpu, name: str) -> None:
    """UnsupportedModelError, saying why and what to do, if the engine called `name` does not fit."""
    reason = find_mismatch(card, gpu)
    if reason:
        raise UnsupportedModelError(
            f"{name} {reason}: an engine runs only where it was built; export it here: dlclive export MODEL.onnx {name}"
        )
