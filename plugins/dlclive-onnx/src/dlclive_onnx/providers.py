"""Which of ONNX Runtime's execution providers runs the model, asked for and proven."""

from __future__ import annotations

import re

import onnxruntime as ort

from dlclive_core import DependencyError, UsageError
from dlclive_onnx.options import CudaOptions

Provider = str | tuple[str, dict[str, str]]

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"

RECORDING = "session.record_ep_graph_assignment_info"
"""The session option without which ONNX Runtime does not tell where each node runs; since 1.24."""

_HEAVY = ("Conv", "ConvTranspose", "FusedConv", "MatMul", "Gemm", "InstanceNormalization", "GroupNorm")


def has_cuda() -> bool:
    """Whether this is the CUDA build of ONNX Runtime; whether there is a GPU shows only when a session starts."""
    return CUDA in ort.get_available_providers()


def choose(device: str, cuda: CudaOptions) -> list[Provider]:
    """The providers for a device, best first; UsageError or DependencyError if this machine has no such device."""
    name = device.lower()
    if name == "cpu" or (name == "auto" and not has_cuda()):
        return [CPU]
    match = re.fullmatch(r"(?:auto|cuda(?::(\d+))?)", name)
    if match is None:
        raise UsageError(f"ONNX Runtime has no device {device!r}; choose auto, cpu, cuda or cuda:<number>")
    if not has_cuda():
        raise DependencyError(
            f"device {device!r} needs the CUDA build of ONNX Runtime; run: pip uninstall -y onnxruntime && "
            "pip install 'dlclive-onnx[gpu]'"
        )
    return [(CUDA, cuda.provider_options(match[1] or "0")), CPU]


def device_id(wanted: list[Provider]) -> int | None:
    """The number of the GPU that was asked for; None for the CPU."""
    first = wanted[0]
    return None if isinstance(first, str) else int(first[1]["device_id"])


def verify(session: ort.InferenceSession, wanted: list[Provider], *, allow_fallback: bool) -> str:
    """Describe the device that is really active; DependencyError if it is not the one that was asked for.

    ONNX Runtime falls back in two ways, silently: a provider that does not start is left out, and single nodes that a
    provider cannot run go to the CPU. Its option `session.disable_cpu_ep_fallback` forbids both, and with them what belongs
    on the CPU, the arithmetic of shapes, so that no graph of a free size could be loaded. So what is looked at here is
    whether the provider started and whether any heavy node is elsewhere; decoding may be on the CPU.
    """
    number = device_id(wanted)
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
    """Convolutions, norms and matrix products that run on other providers than this one; empty where it does not tell."""
    if not hasattr(session, "get_provider_graph_assignment_info"):  # before 1.24
        return []
    return sorted(
        f"{node.op_type} {node.name}".strip()
        for part in session.get_provider_graph_assignment_info()
        if part.ep_name != elsewhere_than
        for node in part.get_nodes()
        if node.op_type in _HEAVY
    )
