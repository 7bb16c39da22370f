"""Runs on an NVIDIA GPU with memory at fixed addresses, replayed as one CUDA graph where it can be captured.

NVIDIA, "CUDA C++ Programming Guide", section CUDA Graphs; PyTorch's notes on CUDA semantics, "CUDA Graphs". Without a graph, a
network of some hundred layers is as many commands to the GPU, which take longer to give than to carry out. Captured once for a
shape, they are one command.
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
"""Runs before a capture: libraries are loaded, workspaces made and cuDNN's algorithms chosen in them, none of which may
happen during a capture."""

_CAPTURING = threading.Lock()
"""One capture at a time in a process."""

_log = logging.getLogger(__name__)

Arrays = dict[str, NDArray[np.float32]]


class CudaRuns:
    """Runs a module on arrays of the host, on a stream of its own.

    A shape that comes again gets memory at fixed addresses: pinned on the host for what goes and comes, and on the device for
    what the network reads. A frame is then a copy, a graph (or the network's own commands, where it could not be captured:
    the reason is logged once) and a copy back, and exactly one wait for the stream. The module must give float32 tensors
    by name, and do everything on the device.

    Args:
        module: on `place`, in eval mode.
        place: a CUDA device.
        graphs: whether to capture at all.
        strict: convolutions in true float32, without TF32.
    """

    def __init__(self, module: nn.Module, place: torch.device, *, graphs: bool, strict: bool) -> None:
        self._module, self._place = module, place
        self._strict = strict
        self._graphs = graphs
        self._stream = torch.cuda.Stream(place)  # type: ignore[no-untyped-call]
        self._stream.wait_stream(torch.cuda.current_stream(place))  # which the weights were copied on
        self._shapes: ShapeCache[FixedRun] = ShapeCache()

    def run(self, arrays: Sequence[NDArray[Any]]) -> Arrays:
        """Arrays in, new arrays out."""
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            fixed = self._shapes.find(tuple(array.shape for array in arrays), lambda: self._fix(arrays))
            if fixed is not None:
                with convolutions(strict=self._strict, search=True):
                    return fixed.run(arrays)
            with convolutions(strict=self._strict):
                outputs = self._module(*(as_tensor(array).to(self._place) for array in arrays))
                return Layout.of(outputs).unpack(pack(outputs).cpu().numpy())

    def close(self) -> None:
        """Free the memory of all shapes. What runs on the GPU has ended: every run waits for its own."""
        self._shapes.clear()

    def _fix(self, arrays: Sequence[NDArray[Any]]) -> FixedRun:
        with convolutions(strict=self._strict, search=True):
            fixed = FixedRun(self._module, arrays, self._place, self._stream)
            if self._graphs:
                try:
                    fixed.capture()
                except RuntimeError as error:  # so are CUDA's own, and those of too little memory
                    self._graphs = False
                    reason = " ".join(str(error).split())
                    _log.warning("no CUDA graph for this network, which runs without from now on: %s", reason)
        return fixed


class FixedRun:
    """One shape of the input, with its memory. Its methods are called on `stream`, in inference mode.

    Args:
        module: gives float32 tensors by name.
        arrays: the first of this shape.
        place: the device.
        stream: that everything is done on.
    """

    def __init__(
        self, module: nn.Module, arrays: Sequence[NDArray[Any]], place: torch.device, stream: torch.cuda.Stream
    ) -> None:
        self._module, self._stream = module, stream
        self._staged = [_pinned_like(as_tensor(array)) for array in arrays]
        self._inputs = [torch.empty_like(staged, device=place) for staged in self._staged]
        self._upload(arrays)
        for _ in range(_WARM_UPS):
            outputs = module(*self._inputs)
        self._layout = Layout.of(outputs)
        self._answer = _pinned_like(pack(outputs))
        self._graph: torch.cuda.CUDAGraph | None = None
        self._flat: Tensor | None = None
        stream.synchronize()

    def capture(self) -> None:
        """Capture the network's commands; RuntimeError where one of them cannot be."""
        graph = torch.cuda.CUDAGraph()
        # Other threads may allocate memory for models of their own meanwhile; only this thread must not.
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
        self._answer.copy_(flat, non_blocking=True)
        self._stream.synchronize()
        return self._layout.unpack(self._answer.numpy())

    def _upload(self, arrays: Sequence[NDArray[Any]]) -> None:
        for array, staged, there in zip(arrays, self._staged, self._inputs, strict=True):
            np.copyto(staged.numpy(), array)  # the copy before it has ended: every run waits
            there.copy_(staged, non_blocking=True)


def _pinned_like(tensor: Tensor) -> Tensor:
    """Memory of the host of this shape and type, that the GPU reads and writes by itself."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
