"""Which of ONNX Runtime's execution providers runs the model, asked for and proven."""

from __future__ import annotations

import re

import onnxruntime as ort

from dlclive_core import DependencyError, UsageError

Provider = str | tuple[str, dict[str, str]]

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"


def choose(device: str) -> list[Provider]:
    """The providers for a device, best first; UsageError or DependencyError if this machine has no such device."""
    available = ort.get_available_providers()
    name = device.lower()
    if name == "cpu" or (name == "auto" and _CUDA not in available):
        return [_CPU]
    match = re.fullmatch(r"(?:auto|cuda(?::(\d+))?)", name)
    if match is None:
        raise UsageError(f"ONNX Runtime has no device {device!r}; choose auto, cpu, cuda or cuda:<number>")
    if _CUDA not in available:
        raise DependencyError(
            f"device {device!r} needs the CUDA build of ONNX Runtime; run: pip uninstall -y onnxruntime && "
            "pip install 'dlclive-onnx[gpu]'"
        )
    return [(_CUDA, {"device_id": match[1] or "0"}), _CPU]


def verify(session: ort.InferenceSession, wanted: list[Provider], *, allow_fallback: bool) -> str:
    """Describe the device that is really active; DependencyError if it is not the one that was asked for."""
    first = wanted[0]
    name, options = (first, {}) if isinstance(first, str) else first
    active = session.get_providers()
    if name not in active and not allow_fallback:
        raise DependencyError(
            f"ONNX Runtime could not start {name} and fell back to {', '.join(active)}: check CUDA and cuDNN, or ask for "
            "device 'cpu', or pass allow_fallback=True"
        )
    if name in active and name == _CUDA:
        return f"cuda:{options.get('device_id', '0')} ({_CUDA})"
    return f"cpu ({active[0]})"
