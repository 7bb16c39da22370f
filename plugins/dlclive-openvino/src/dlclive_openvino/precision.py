"""Which arithmetic a file is run in. OpenVINO is always told, because by default it takes the fastest that the CPU has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dlclive_core import UsageError

_CAPABILITY = {"fp32": "FP32", "bf16": "BF16", "fp16": "FP16", "int8": "INT8"}
_HINT = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How a network is computed.

    Attributes:
        precision: our name: "fp32", "bf16", "fp16" or "int8".
        hint: what OpenVINO is told (`INFERENCE_PRECISION_HINT`): "f32", "bf16" or "f16". Of an int8 network that is what its
            float parts are computed in.
    """

    precision: str
    hint: str


def possible(written: str, capabilities: Collection[str]) -> tuple[str, ...]:
    """The precisions that a file can be run in here, its own first.

    Args:
        written: the precision that the file was exported in.
        capabilities: OpenVINO's words for what the device computes in: "FP32", "BF16", ...

    A file in fp32 can be run in bf16; one in fp16 can be run in fp32, which is what CPUs do with it; one in int8 only as it is.
    """
    wanted = {"fp32": ("fp32", "bf16"), "bf16": ("bf16", "fp32"), "fp16": ("fp16", "fp32"), "int8": ("int8",)}
    return tuple(name for name in wanted.get(written, ()) if _CAPABILITY[name] in capabilities)


def choose(asked: str, written: str, capabilities: Collection[str], *, name: str, device: str) -> Arithmetic:
    """The arithmetic for a file on a device.

    Args:
        asked: "auto", as the file says, or the precision that it has to be.
        written: the precision that the file was exported in.
        capabilities: of the device, as `possible` takes them.
        name, device: for messages.

    Raises:
        UsageError: this device, or this file, cannot be run in it; the message names what there is.
    """
    able = possible(written, capabilities)
    precision = written if asked.lower() == "auto" else asked.lower()
    if asked.lower() == "auto" and written == "fp16" and "fp16" not in able and "fp32" in able:
        precision = "fp32"  # the weights are in half precision, the arithmetic is more precise than that
    if precision in able:
        return Arithmetic(precision, _hint(precision, capabilities))
    held = ", ".join(sorted(item for item in _CAPABILITY if _CAPABILITY[item] in capabilities))
    choice = " or ".join(able) if able else "nothing here: export the model again in another precision"
    raise UsageError(
        f"{name} is in {written} and cannot be run in {precision} on {device}, which computes in {held}; "
        f"it can be run in {choice}"
    )


def _hint(precision: str, capabilities: Collection[str]) -> str:
    """What is left in float of an int8 network is as precise as its pixels allow: bf16, where the CPU has it."""
    if precision == "int8":
        return "bf16" if "BF16" in capabilities else "f32"
    return _HINT[precision]
