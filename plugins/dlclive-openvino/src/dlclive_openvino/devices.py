"""The devices that OpenVINO offers on this computer, by dlclive's names."""

from __future__ import annotations

import re
from collections.abc import Collection

from dlclive_core import UsageError
from dlclive_openvino.library import ov
from dlclive_openvino.signal_stack import kept_signal_stack

CPU = "CPU"


def core() -> ov.Core:
    """A new OpenVINO core. It is cheap, and each network has its own, so that the options of one do not affect another."""
    with kept_signal_stack():
        new = ov.Core()
        if CPU in new.available_devices:
            new.get_property(CPU, "FULL_DEVICE_NAME")  # loads the plugin, here
    return new


def device_names(devices: Collection[str]) -> list[str]:
    """dlclive's names of OpenVINO's CPU and GPU devices: "CPU" is "cpu", "GPU.1" is "gpu:1". Other devices are left out."""
    return [item.lower().replace(".", ":") for item in devices if item.split(".")[0] in (CPU, "GPU")]


def resolve(device: str, devices: Collection[str]) -> str:
    """OpenVINO's name of a device.

    Args:
        device: "auto" (the CPU), "cpu", or an Intel GPU as "gpu" or "gpu:1".
        devices: the available devices, by OpenVINO's names.

    Raises:
        UsageError: the device does not exist.
    """
    match = re.fullmatch(r"(auto|cpu)|gpu(?::(\d+))?", device.lower())
    if match is not None:
        requested = CPU if match[1] else "GPU" + (f".{match[2]}" if match[2] else "")
        aliases = {"GPU": "GPU.0", "GPU.0": "GPU"}  # a single GPU has no number; the first of several has one
        for name in (requested, aliases.get(requested, requested)):
            if name in devices:
                return name
    raise UsageError(f"OpenVINO has no device {device!r} here; choose auto, {', '.join(device_names(devices))}")


def capabilities(ov_core: ov.Core, device: str) -> tuple[str, ...]:
    """The precisions in which a device computes fast, by OpenVINO's names: "FP32", "BF16", "INT8", ..."""
    return tuple(ov_core.get_property(device, "OPTIMIZATION_CAPABILITIES"))
