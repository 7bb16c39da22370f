"""Which devices OpenVINO has here, under dlclive's names."""

from __future__ import annotations

import re
from collections.abc import Collection

from dlclive_core import UsageError
from dlclive_openvino.library import ov

CPU = "CPU"


def core() -> ov.Core:
    """OpenVINO's entrance; cheap, and one for each network, so that options of one do not reach another."""
    return ov.Core()


def device_names(devices: Collection[str]) -> list[str]:
    """Our names of OpenVINO's devices that networks can run on: "CPU" is "cpu", "GPU.1" is "gpu:1"; others are left out."""
    return [item.lower().replace(".", ":") for item in devices if item.split(".")[0] in (CPU, "GPU")]


def resolve(device: str, devices: Collection[str]) -> str:
    """OpenVINO's name of a device.

    Args:
        device: "auto" (the CPU), "cpu", or an Intel GPU as "gpu" or "gpu:1".
        devices: what OpenVINO found.

    Raises:
        UsageError: there is no such device.
    """
    match = re.fullmatch(r"(auto|cpu)|gpu(?::(\d+))?", device.lower())
    if match is not None:
        wanted = CPU if match[1] else "GPU" + (f".{match[2]}" if match[2] else "")
        alone = {"GPU": "GPU.0", "GPU.0": "GPU"}  # a single GPU has no number, the first of several has
        for name in (wanted, alone.get(wanted, wanted)):
            if name in devices:
                return name
    raise UsageError(f"OpenVINO has no device {device!r} here; choose auto, {', '.join(device_names(devices))}")


def capabilities(found: ov.Core, device: str) -> tuple[str, ...]:
    """OpenVINO's words for the precisions that a device computes in fast: "FP32", "BF16", "INT8", ..."""
    return tuple(found.get_property(device, "OPTIMIZATION_CAPABILITIES"))
