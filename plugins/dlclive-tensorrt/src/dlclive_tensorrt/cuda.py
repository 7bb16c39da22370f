"""The CUDA calls that running an engine needs, each with its error code checked.

Every call of `cuda.bindings` returns a tuple that begins with an error code. Here errors are exceptions, and handles are
Python integers. Each thread works on the GPU that it selected last with `use_gpu`.
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
"""The alignment in bytes of each tensor within a block. cudaMalloc returns addresses with this alignment."""


class CudaError(ModelError):
    """A call of CUDA failed."""


class GpuMemoryError(CudaError):
    """The GPU has not enough free memory."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU: its index, name and compute capability, for example "8.9"."""

    index: int
    name: str
    capability: str

    @property
    def device(self) -> str:
        """The device name for `load_model`."""
        return f"cuda:{self.index}"

    def __str__(self) -> str:
        return f"{self.device} ({self.name})"


def checked(result: tuple[Any, ...], doing: str) -> Any:
    """The values that a call returned after its error code: None, one value, or a tuple.

    Raises:
        GpuMemoryError, CudaError: the call failed.
    """
    code, *values = result
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
    """Select the GPU for all further work of this thread."""
    checked(cudart.cudaSetDevice(gpu.index), f"choosing {gpu}")


def free_memory() -> tuple[int, int]:
    """The free and the total memory of this thread's GPU, in bytes."""
    free, total = checked(cudart.cudaMemGetInfo(), "querying the free memory")
    return int(free), int(total)


def versions() -> tuple[str, str]:
    """The CUDA versions of the driver ("0.0" without one) and of the runtime library."""
    driver = checked(cudart.cudaDriverGetVersion(), "querying the driver's version")
    runtime = checked(cudart.cudaRuntimeGetVersion(), "querying CUDA's version")
    return _version(driver), _version(runtime)


class Stream:
    """A CUDA stream on this thread's GPU. It does not wait for other streams."""

    def __init__(self) -> None:
        self.handle = int(checked(cudart.cudaStreamCreateWithFlags(cudart.cudaStreamNonBlocking), "creating a stream"))

    def wait(self) -> None:
        """Wait until all work in the stream is done. Errors of that work are raised here."""
        checked(cudart.cudaStreamSynchronize(self.handle), "waiting for the GPU")

    def close(self) -> None:
        """Give it back; safe to call twice."""
        if self.handle:
            handle, self.handle = self.handle, 0
            cudart.cudaStreamDestroy(handle)


class Block:
    """A block of GPU memory and an equal block of pinned host memory; a stream copies between them.

    Attributes:
        size: the size in bytes.
        host: (size,) uint8, the pinned memory.
        address: the address of the GPU memory.
    """

    def __init__(self, size: int) -> None:
        self.size, self.address, self._pinned = size, 0, 0
        try:
            self.address = int(checked(cudart.cudaMalloc(size), f"allocating {size / 1e6:.1f} MB"))
            self._pinned = int(checked(cudart.cudaMallocHost(size), f"pinning {size / 1e6:.1f} MB"))
        except BaseException:
            self.close()
            raise
        self.host: NDArray[np.uint8] = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(self._pinned))
        self.host[:] = 0

    def upload(self, stream: Stream) -> None:
        """Queue a copy from the host to the GPU."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        checked(
            cudart.cudaMemcpyAsync(self.address, self._pinned, self.size, kind, stream.handle), "copying to the GPU"
        )

    def download(self, stream: Stream) -> None:
        """Queue a copy from the GPU to the host."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        checked(
            cudart.cudaMemcpyAsync(self._pinned, self.address, self.size, kind, stream.handle), "copying from the GPU"
        )

    def close(self) -> None:
        """Free both blocks; do not use `host` afterwards. Safe to call twice."""
        address, self.address = self.address, 0
        pinned, self._pinned = self._pinned, 0
        self.host = np.zeros(0, np.uint8)
        if address:
            cudart.cudaFree(address)
        if pinned:
            cudart.cudaFreeHost(pinned)


class Graph:
    """A CUDA graph: work captured from a stream, to be launched as a whole."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._graph: Any = None
        self._executable: Any = None

    def __enter__(self) -> Graph:
        """Capture the work queued in the stream by this thread until the end of the block, instead of running it."""
        mode = cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        checked(cudart.cudaStreamBeginCapture(self._stream.handle, mode), "starting to capture a CUDA graph")
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        result = cudart.cudaStreamEndCapture(self._stream.handle)  # also after an error, to release the stream
        if error is None:
            self._graph = checked(result, "capturing a CUDA graph")
            self._executable = checked(cudart.cudaGraphInstantiate(self._graph, 0), "instantiating a CUDA graph")
        elif result[0] == cudart.cudaError_t.cudaSuccess:
            self._graph = result[1]

    def launch(self) -> None:
        """Queue the graph in the stream."""
        checked(cudart.cudaGraphLaunch(self._executable, self._stream.handle), "launching a CUDA graph")

    def close(self) -> None:
        """Give it back; safe to call twice."""
        graph, self._graph = self._graph, None
        executable, self._executable = self._executable, None
        if executable is not None:
            cudart.cudaGraphExecDestroy(executable)
        if graph is not None:
            cudart.cudaGraphDestroy(graph)


def _describe(index: int) -> Gpu:
    properties = checked(cudart.cudaGetDeviceProperties(index), f"querying the properties of GPU {index}")
    name = properties.name.rstrip(b"\0").decode("utf-8", errors="replace")
    return Gpu(index, name, f"{properties.major}.{properties.minor}")


def _free() -> str:
    code, free, total = (*cudart.cudaMemGetInfo(), None, None)[:3]
    known = code == cudart.cudaError_t.cudaSuccess and free is not None and total is not None
    return f" ({free / 1e9:.1f} of {total / 1e9:.1f} GB are free)" if known else ""


def _text(code: Any) -> str:
    _, text = cudart.cudaGetErrorString(code)
    return text.decode() if isinstance(text, bytes) else str(text)


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
