"""Which of ONNX Runtime's execution providers runs the model: requested, then verified."""

from __future__ import annotations

import re

import onnxruntime as ort

from dlclive_core import DependencyError, UsageError, install_command
from dlclive_onnx.options import CudaOptions

Provider = str | tuple[str, dict[str, str]]

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"

RECORDING = "session.record_ep_graph_assignment_info"
"""The session option that makes ONNX Runtime report where each node runs; since 1.24."""

_HEAVY = ("Conv", "ConvTranspose", "FusedConv", "MatMul", "Gemm", "InstanceNormalization", "GroupNorm")


def has_cuda() -> bool:
    """Whether this is the CUDA build of ONNX Runtime. Whether there is a GPU shows only when a session starts."""
    return CUDA in ort.get_available_providers()


def choose(device: str, cuda: CudaOptions) -> list[Provider]:
    """The providers for a device, best first. Raises UsageError or DependencyError if it is not available."""
    name = device.lower()
    if name == "cpu" or (name == "auto" and not has_cuda()):
        return [CPU]
    match = re.fullmatch(r"(?:auto|cuda(?::(\d+))?)", name)
    if match is None:
        raise UsageError(f"ONNX Runtime has no device {device!r}; choose auto, cpu, cuda or cuda:<number>")
    if not has_cuda():
        raise DependencyError(
            f"device {device!r} needs the CUDA build of ONNX Runtime; run: pip uninstall -y onnxruntime && "
            f"{install_command('dlclive-onnx[gpu]')}"
        )
    return [(CUDA, cuda.provider_options(match[1] or "0")), CPU]


def device_id(requested: list[Provider]) -> int | None:
    """The number of the requested GPU; None for the CPU."""
    first = requested[0]
    return None if isinstance(first, str) else int(first[1]["device_id"])


def verify(session: ort.InferenceSession, requested: list[Provider], *, allow_fallback: bool) -> str:
    """Describe the device that is active. Raises DependencyError if it is not the requested one.

    ONNX Runtime falls back silently in two ways: it skips a provider that does not start, and it runs single nodes that a
    provider does not support on the CPU. Its option `session.disable_cpu_ep_fallback` forbids both, but also shape arithmetic,
    which belongs on the CPU, so no graph of free size would load. Instead, this checks that the provider started and that no
    heavy node runs elsewhere; decoding may run on the CPU.
    """
    number = device_id(requested)
    active = session.get_providers()
    if number is None or CUDA not in active:
        if number is not None and not allow_fallback:
            raise DependencyError(
                f"ONNX Runtime could not start {CUDA} and fell back to {', '.join(active)}: check CUDA and cuDNN, or ask for "
                "device 'cpu', or pass allow_fallback=True"
            )
        return f"cpu ({active[0]})"
    strayed = heavy_nodes(session, elsewhere_than=CUDA)
    if strayed and not allow_fallback:
        raise DependencyError(
            f"ONNX Runtime runs {len(strayed)} heavy nodes of this network on the CPU ({', '.join(strayed[:3])}): export it "
            "again or update onnxruntime-gpu, or pass allow_fallback=True"
        )
    return f"cuda:{number} ({CUDA})"


def heavy_nodes(session: ort.InferenceSession, *, elsewhere_than: str) -> list[str]:
    """Convolutions, norms and matrix products that run on another provider; empty if ONNX Runtime does not report it."""
    if not hasattr(session, "get_provider_graph_assignment_info"):  # before 1.24
        return []
    return sorted(
        f"{node.op_type} {node.name}".strip()
        for part in session.get_provider_graph_assignment_info()
        if part.ep_name != elsewhere_than
        for node in part.get_nodes()
        if node.op_type in _HEAVY
    )
