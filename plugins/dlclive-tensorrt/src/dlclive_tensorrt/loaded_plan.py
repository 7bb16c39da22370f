"""A plan on the GPU: fixed memory, and one CUDA graph from the image on the host to the keypoints on the host."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorrt as trt
from numpy.typing import NDArray

from dlclive_core import ModelError
from dlclive_core.runtimes import CONDITIONS_INPUT, IMAGE_INPUT
from dlclive_tensorrt.cuda import ALIGNMENT, Block, GpuMemoryError, Graph, Stream
from dlclive_tensorrt.messages import Messages

_TYPES: dict[Any, np.dtype[Any]] = {
    trt.DataType.UINT8: np.dtype(np.uint8),
    trt.DataType.FLOAT: np.dtype(np.float32),
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a plan."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_input: bool

    @property
    def bytes(self) -> int:
        """The size in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


class LoadedPlan:
    """A plan with its memory, on this thread's GPU.

    The first run initialises TensorRT, which cannot be captured. The second run is captured as a CUDA graph: copy to the GPU,
    network, copy back. After that, a run is one launch and one wait. A plan with a step that cannot be captured runs step by
    step.

    Args:
        plan: TensorRT's plan. Reading it executes code in it.
        batch: the plan's batch size.
        name: the file's name, for messages.

    Attributes:
        captured: whether the plan runs as a CUDA graph.
        inputs, outputs: their names and shapes.

    Raises:
        ModelError: TensorRT cannot read the plan, or dlclive did not export it.
        GpuMemoryError: the GPU has too little free memory.
    """

    def __init__(self, plan: bytes, batch: int, name: str) -> None:
        self.batch, self.captured = batch, False
        self._name = name
        self._blocks: list[Block] = []
        self._hosts: dict[str, NDArray[Any]] = {}
        self._graph: Graph | None = None
        self._stream: Stream | None = None
        self._messages = Messages()
        self._runtime: trt.Runtime | None = None
        self._engine: trt.ICudaEngine | None = None
        self._context: trt.IExecutionContext | None = None
        try:
            self._load(plan)
        except BaseException:
            self.close()
            raise

    def run(self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None) -> dict[str, NDArray[np.float32]]:
        """Run on up to `batch` images; see `Network.run`."""
        assert self._stream is not None
        for name, array in ((IMAGE_INPUT, images), (CONDITIONS_INPUT, conditions)):
            if array is not None:
                np.copyto(self._hosts[name][: len(array)], array)
        if self._graph is not None:
            self._graph.launch()
        else:
            self._enqueue(self._stream)
        self._stream.wait()
        return {name: self._hosts[name][: len(images)].copy() for name in self._outputs}

    def close(self) -> None:
        """Free everything in the order that TensorRT requires. Safe to call twice."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None
        self._context = self._engine = self._runtime = None
        self._hosts = {}
        while self._blocks:
            self._blocks.pop().close()
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _load(self, plan: bytes) -> None:
        self._runtime = self._messages.start(trt.Runtime, "runtime")
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise self._messages.failure(f"TensorRT cannot read the engine in {self._name}")
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise self._messages.failure(f"TensorRT cannot run the engine in {self._name}")
        tensors = _tensors(self._engine, self._name)
        self._check(tensors)
        self.inputs = {tensor.name: tensor.shape for tensor in tensors if tensor.is_input}
        self.outputs = {tensor.name: tensor.shape for tensor in tensors if not tensor.is_input}
        self._stream = Stream()
        self._upload = self._allocate([tensor for tensor in tensors if tensor.is_input])
        self._download = self._allocate([tensor for tensor in tensors if not tensor.is_input])
        self._outputs = [tensor.name for tensor in tensors if not tensor.is_input]
        self._enqueue(self._stream)
        self._stream.wait()
        self._capture(self._stream)

    def _check(self, tensors: list[Tensor]) -> None:
        images = [tensor.shape for tensor in tensors if tensor.is_input and tensor.name == IMAGE_INPUT]
        others = {tensor.name for tensor in tensors if tensor.is_input} - {IMAGE_INPUT, CONDITIONS_INPUT}
        if others or len(images) != 1 or len(images[0]) != 4 or images[0][0] != self.batch:
            inputs = ", ".join(f"{tensor.name} {tensor.shape}" for tensor in tensors if tensor.is_input)
            raise ModelError(
                f"the engine in {self._name} takes {inputs}: dlclive did not export it in this form; export it again"
            )

    def _allocate(self, tensors: list[Tensor]) -> Block:
        """Allocate tensors in one block, so that one copy moves them all, and pass their addresses to TensorRT."""
        assert self._context is not None
        starts = [0, *np.cumsum([-(-tensor.bytes // ALIGNMENT) * ALIGNMENT for tensor in tensors]).tolist()]
        block = Block(starts[-1])
        self._blocks.append(block)
        for tensor, start in zip(tensors, starts, strict=False):
            if not self._context.set_tensor_address(tensor.name, block.address + start):
                raise self._messages.failure(f"TensorRT rejects the memory for {tensor.name} of {self._name}")
            self._hosts[tensor.name] = block.host[start : start + tensor.bytes].view(tensor.dtype).reshape(tensor.shape)
        return block

    def _enqueue(self, stream: Stream) -> None:
        """Queue the upload, the network and the download in a stream."""
        assert self._context is not None
        self._upload.upload(stream)
        if not self._context.execute_async_v3(stream.handle):
            raise self._messages.failure(f"TensorRT cannot run the engine in {self._name}")
        self._download.download(stream)

    def _capture(self, stream: Stream) -> None:
        graph = Graph(stream)
        try:
            with graph:
                self._enqueue(stream)
            graph.launch()
            stream.wait()
        except ModelError as error:
            graph.close()
            if isinstance(error, GpuMemoryError):
                raise
            stream.wait()  # a persistent error is raised here
            return
        self._graph, self.captured = graph, True


def _tensors(engine: trt.ICudaEngine, name: str) -> list[Tensor]:
    """The inputs and outputs in the engine's order. Raises ModelError if dlclive does not export such a tensor."""
    tensor_names: Iterable[str] = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    tensors = []
    for tensor_name in tensor_names:
        dims, kind = engine.get_tensor_shape(tensor_name), engine.get_tensor_dtype(tensor_name)
        shape = tuple(int(dims[axis]) for axis in range(len(dims)))
        if min(shape, default=1) < 1 or kind not in _TYPES:
            raise ModelError(f"{tensor_name} of the engine in {name} is {kind} {shape}: dlclive did not export it")
        is_input = engine.get_tensor_mode(tensor_name) == trt.TensorIOMode.INPUT
        tensors.append(Tensor(tensor_name, shape, _TYPES[kind], is_input))
    return tensors
