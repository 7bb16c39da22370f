"""The few calls of CUDA that running an engine needs, each checked.

`cuda.bindings` gives every answer as a tuple that begins with an error code; here an error code is an exception, and handles
are Python integers. A thread works on the GPU that it chose last (`use_gpu`); everything else follows from that.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from cuda.bindings import runtime as cudart
from numpy.typing import NDArray

from dlclive_core import ModelError

ALIGNMENT = 256
"""Bytes; where each tensor begins within a block. What cudaMalloc gives begins at a multiple of it."""


class CudaError(ModelError):
    """A call of CUDA failed."""


class GpuMemoryError(CudaError):
    """The GPU has not enough free memory."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: its number, name, and compute capability, for example "8.9"."""

    index: int
    name: str
    capability: str

    @property
    def device(self) -> str:
        """As `load_model` takes it."""
        return f"cuda:{self.index}"

    def __str__(self) -> str:
        return f"{self.device} ({self.name})"


def answer(given: tuple[Any, ...], doing: str) -> Any:
    """What a call gave beside its error code: nothing, one value, or several.

    Raises:
        GpuMemoryError, CudaError: the code is an error.
    """
    code, *values = given
    if code == cudart.cudaError_t.cudaErrorMemoryAllocation:
        raise GpuMemoryError(f"not enough memory on the GPU while {doing}{_free()}: close other programs that use it")
    if code != cudart.cudaError_t.cudaSuccess:
        raise CudaError(f"CUDA failed while {doing}: {code.name} ({_text(code)})")
    return values[0] if len(values) == 1 else tuple(values) or None


def gpus() -> list[Gpu]:
    """The GPUs of this computer; empty without a driver."""
    code, count = cudart.cudaGetDeviceCount()
    if code != cudart.cudaError_t.cudaSuccess:
        return []
    return [_describe(index) for index in range(count)]


def use_gpu(gpu: Gpu) -> None:
    """Let what this thread does from now on be on this GPU."""
    answer(cudart.cudaSetDevice(gpu.index), f"choosing {gpu}")


def free_memory() -> tuple[int, int]:
    """Bytes that are free on this thread's GPU, and bytes that it has."""
    free, total = answer(cudart.cudaMemGetInfo(), "asking for free memory")
    return int(free), int(total)


def versions() -> tuple[str, str]:
    """The CUDA versions of the driver, "0.0" without one, and of the runtime library."""
    driver = answer(cudart.cudaDriverGetVersion(), "asking for the driver's version")
    runtime = answer(cudart.cudaRuntimeGetVersion(), "asking for CUDA's version")
    return _version(driver), _version(runtime)


class Stream:
    """A stream of work on this thread's GPU, which does not wait for other streams."""

    def __init__(self) -> None:
        self.handle = int(answer(cudart.cudaStreamCreateWithFlags(cudart.cudaStreamNonBlocking), "making a stream"))

    def wait(self) -> None:
        """Until all that was given to the stream is done. Errors of that work come out here."""
        answer(cudart.cudaStreamSynchronize(self.handle), "waiting for the GPU")

    def close(self) -> None:
        """Give it back; safe to call twice."""
        if self.handle:
            handle, self.handle = self.handle, 0
            cudart.cudaStreamDestroy(handle)


class Block:
    """Memory on the GPU, and as much pinned memory on the host, between which a stream copies.

    Attributes:
        size: bytes.
        host: (size,) uint8, the pinned memory.
        address: of the memory on the GPU.
    """

    def __init__(self, size: int) -> None:
        self.size, self.address, self._pinned = size, 0, 0
        try:
            self.address = int(answer(cudart.cudaMalloc(size), f"reserving {size / 1e6:.1f} MB"))
            self._pinned = int(answer(cudart.cudaMallocHost(size), f"pinning {size / 1e6:.1f} MB"))
        except BaseException:
            self.close()
            raise
        self.host: NDArray[np.uint8] = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(self._pinned))
        self.host[:] = 0

    def upload(self, stream: Stream) -> None:
        """Copy from the host to the GPU, in the stream's order."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        answer(cudart.cudaMemcpyAsync(self.address, self._pinned, self.size, kind, stream.handle), "copying to the GPU")

    def download(self, stream: Stream) -> None:
        """Copy from the GPU to the host, in the stream's order."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        answer(
            cudart.cudaMemcpyAsync(self._pinned, self.address, self.size, kind, stream.handle), "copying from the GPU"
        )

    def close(self) -> None:
        """Free both; `host` must not be used any more. Safe to call twice."""
        address, self.address = self.address, 0
        pinned, self._pinned = self._pinned, 0
        self.host = np.zeros(0, np.uint8)
        if address:
            cudart.cudaFree(address)
        if pinned:
            cudart.cudaFreeHost(pinned)


class Graph:
    """Work that was given to a stream once, and is given again as one."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._graph: Any = None
        self._executable: Any = None

    def __enter__(self) -> Graph:
        """Until the end of the block, what is given to the stream is noted instead of done. Other threads are not concerned."""
        mode = cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        answer(cudart.cudaStreamBeginCapture(self._stream.handle, mode), "beginning a CUDA graph")
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        given = cudart.cudaStreamEndCapture(self._stream.handle)  # also after an error: the stream must be free again
        if error is None:
            self._graph = answer(given, "ending a CUDA graph")
            self._executable = answer(cudart.cudaGraphInstantiate(self._graph, 0), "making a CUDA graph")
        elif given[0] == cudart.cudaError_t.cudaSuccess:
            self._graph = given[1]

    def launch(self) -> None:
        """Give all of it to the stream."""
        answer(cudart.cudaGraphLaunch(self._executable, self._stream.handle), "starting a CUDA graph")

    def close(self) -> None:
        """Give it back; safe to call twice."""
        graph, self._graph = self._graph, None
        executable, self._executable = self._executable, None
        if executable is not None:
            cudart.cudaGraphExecDestroy(executable)
        if graph is not None:
            cudart.cudaGraphDestroy(graph)


def _describe(index: int) -> Gpu:
    facts = answer(cudart.cudaGetDeviceProperties(index), f"asking for the name of GPU {index}")
    return Gpu(index, facts.name.rstrip(b"\0").decode("utf-8", errors="replace"), f"{facts.major}.{facts.minor}")


def _free() -> str:
    code, free, total = (*cudart.cudaMemGetInfo(), None, None)[:3]
    known = code == cudart.cudaError_t.cudaSuccess and free is not None and total is not None
    return f" ({free / 1e9:.1f} of {total / 1e9:.1f} GB are free)" if known else ""


def _text(code: Any) -> str:
    _, text = cudart.cudaGetErrorString(code)
    return text.decode() if isinstance(text, bytes) else str(text)


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
