"""Inference on an NVIDIA GPU with memory at fixed addresses, replayed as one CUDA graph if it can be captured.

NVIDIA, "CUDA C++ Programming Guide", section CUDA Graphs; PyTorch's notes on CUDA semantics, "CUDA Graphs". Without a graph,
a network of a few hundred layers launches as many kernels, and launching them takes longer than running them. Captured once
for a shape, they need a single launch.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dlclive_torch.packing import Layout, pack
from dlclive_torch.runs import as_tensor
from dlclive_torch.shapes import ShapeCache
from dlclive_torch.strict import convolutions

_WARM_UPS = 3
"""Warm-up runs before a capture. They load libraries, allocate workspaces and select cuDNN's algorithms; none of this may
happen during a capture."""

_CAPTURING = threading.Lock()
"""Allows one capture at a time per process."""

_log = logging.getLogger(__name__)

Arrays = dict[str, NDArray[np.float32]]


class CudaRuns:
    """Runs a module on arrays of the host, on its own stream.

    From the second use, a shape has memory at fixed addresses: pinned host memory for inputs and outputs, and device memory
    for the network's inputs. A frame is then a copy, a graph launch and a copy back, with exactly one stream synchronisation.
    If the graph cannot be captured, the kernels are launched individually and the reason is logged once. The module must
    return float32 tensors by name, and do everything on the device.

    Args:
        module: on `place`, in eval mode.
        place: a CUDA device.
        graphs: whether to capture graphs.
        strict: convolutions in true float32, without TF32.
    """

    def __init__(self, module: nn.Module, place: torch.device, *, graphs: bool, strict: bool) -> None:
        self._module, self._device = module, place
        self._strict = strict
        self._graphs = graphs
        self._stream = torch.cuda.Stream(place)  # type: ignore[no-untyped-call]
        self._stream.wait_stream(torch.cuda.current_stream(place))  # the stream that copied the weights
        self._shapes: ShapeCache[FixedRun] = ShapeCache()

    def run(self, arrays: Sequence[NDArray[Any]]) -> Arrays:
        """Run the module on arrays and return new arrays."""
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            fixed = self._shapes.find(tuple(array.shape for array in arrays), lambda: self._fixed_run(arrays))
            if fixed is not None:
                with convolutions(strict=self._strict, search=True):
                    return fixed.run(arrays)
            with convolutions(strict=self._strict):
                outputs = self._module(*(as_tensor(array).to(self._device) for array in arrays))
                return Layout.of(outputs).unpack(pack(outputs).cpu().numpy())

    def close(self) -> None:
        """Free the memory of all shapes. The GPU is idle: every run waits for its result."""
        self._shapes.clear()

    def _fixed_run(self, arrays: Sequence[NDArray[Any]]) -> FixedRun:
        with convolutions(strict=self._strict, search=True):
            fixed = FixedRun(self._module, arrays, self._device, self._stream)
            if self._graphs:
                try:
                    fixed.capture()
                except RuntimeError as error:  # includes CUDA errors and out-of-memory errors
                    self._graphs = False
                    reason = " ".join(str(error).split())
                    _log.warning("cannot capture a CUDA graph for this network; running without: %s", reason)
        return fixed


class FixedRun:
    """Inference for one input shape, with its memory. Call its methods on `stream`, in inference mode.

    Args:
        module: returns float32 tensors by name.
        arrays: the first inputs of this shape.
        place: the device.
        stream: the stream for all work.
    """

    def __init__(
        self, module: nn.Module, arrays: Sequence[NDArray[Any]], place: torch.device, stream: torch.cuda.Stream
    ) -> None:
        self._module, self._stream = module, stream
        self._staging = [_pinned_like(as_tensor(array)) for array in arrays]
        self._inputs = [torch.empty_like(staging, device=place) for staging in self._staging]
        self._upload(arrays)
        for _ in range(_WARM_UPS):
            outputs = module(*self._inputs)
        self._layout = Layout.of(outputs)
        self._result = _pinned_like(pack(outputs))
        self._graph: torch.cuda.CUDAGraph | None = None
        self._flat: Tensor | None = None
        stream.synchronize()

    def capture(self) -> None:
        """Capture the network; RuntimeError if an operation cannot be captured."""
        graph = torch.cuda.CUDAGraph()
        # Other threads may allocate memory for their models during the capture; only this thread must not.
        with _CAPTURING, torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            flat = pack(self._module(*self._inputs))
        self._graph, self._flat = graph, flat

    def run(self, arrays: Sequence[NDArray[Any]]) -> Arrays:
        """Copy, compute, copy back, and wait once."""
        self._upload(arrays)
        if self._graph is None or self._flat is None:
            flat = pack(self._module(*self._inputs))
        else:
            self._graph.replay()
            flat = self._flat
        self._result.copy_(flat, non_blocking=True)
        self._stream.synchronize()
        return self._layout.unpack(self._result.numpy())

    def _upload(self, arrays: Sequence[NDArray[Any]]) -> None:
        for array, staging, device_input in zip(arrays, self._staging, self._inputs, strict=True):
            np.copyto(staging.numpy(), array)  # the previous copy has finished: every run synchronises
            device_input.copy_(staging, non_blocking=True)


def _pinned_like(tensor: Tensor) -> Tensor:
    """Allocate pinned host memory of this shape and type, for direct access by the GPU."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
