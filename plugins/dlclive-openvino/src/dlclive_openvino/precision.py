"""The arithmetic in which a file is run. It is always set, because OpenVINO's default is the CPU's fastest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dlclive_core import UsageError

_CAPABILITY = {"fp32": "FP32", "bf16": "BF16", "fp16": "FP16", "int8": "INT8"}
_HINT = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The arithmetic of a network.

    Attributes:
        precision: dlclive's name: "fp32", "bf16", "fp16" or "int8".
        hint: OpenVINO's `INFERENCE_PRECISION_HINT`: "f32", "bf16" or "f16". For an int8 network, the precision of its float
            parts.
    """

    precision: str
    hint: str


def possible(written: str, capabilities: Collection[str]) -> tuple[str, ...]:
    """The precisions in which a device can run a file, the file's own first.

    A file in fp32 can be run in bf16, and the reverse. A file in fp16 can be run in fp32, as CPUs do. A file in int8 can be
    run only in int8.

    Args:
        written: the precision in which the file was exported.
        capabilities: the precisions of the device, by OpenVINO's names: "FP32", "BF16", ...
    """
    candidates = {"fp32": ("fp32", "bf16"), "bf16": ("bf16", "fp32"), "fp16": ("fp16", "fp32"), "int8": ("int8",)}
    return tuple(name for name in candidates.get(written, ()) if _CAPABILITY[name] in capabilities)


def choose(requested: str, written: str, capabilities: Collection[str], *, name: str, device: str) -> Arithmetic:
    """The arithmetic for a file on a device.

    Args:
        requested: a precision, or "auto" for that of the file.
        written: the precision in which the file was exported.
        capabilities: the precisions of the device, as in `possible`.
        name, device: for messages.

    Raises:
        UsageError: the device or the file does not support the requested precision; the message lists the supported ones.
    """
    able = possible(written, capabilities)
    precision = written if requested.lower() == "auto" else requested.lower()
    if requested.lower() == "auto" and written == "fp16" and "fp16" not in able and "fp32" in able:
        precision = "fp32"  # half-precision weights lose nothing in fp32 arithmetic
    if precision in able:
        return Arithmetic(precision, _hint(precision, capabilities))
    supported = ", ".join(sorted(item for item in _CAPABILITY if _CAPABILITY[item] in capabilities))
    advice = f"run it in {' or '.join(able)}" if able else "export the model again in another precision"
    raise UsageError(
        f"{name} is in {written} and cannot be run in {precision} on {device}, which supports {supported}; {advice}"
    )


def _hint(precision: str, capabilities: Collection[str]) -> str:
    """The hint for a precision. For the float parts of an int8 network, bf16 is precise enough if the CPU has it."""
    if precision == "int8":
        return "bf16" if "BF16" in capabilities else "f32"
    return _HINT[precision]
