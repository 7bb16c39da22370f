"""A double of `tensorrt` 11: a builder, a parser, a runtime, and engines that ONNX Runtime computes.

It has only names that the real bindings have (listed in `tensorrt_names.json`, checked by `test_doubles.py`), so using a
removed name fails here too. A plan contains its source ONNX graph. An execution computes the graph when the stream reaches it,
and reads and writes the addresses set on the context.
"""

from __future__ import annotations

import enum
import json
from types import ModuleType
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

_FLOAT_ONLY = ("CumSum", "Pow", "Clip", "Floor", "Sigmoid", "Conv")
_MAGIC = b"PLAN"


class DataType(enum.Enum):
    """The types that the tests need."""

    FLOAT = TensorProto.FLOAT
    HALF = TensorProto.FLOAT16
    UINT8 = TensorProto.UINT8
    INT64 = TensorProto.INT64


class TensorIOMode(enum.Enum):
    """Input or output."""

    INPUT = 1
    OUTPUT = 2


class MemoryPoolType(enum.Enum):
    """The pool that the tests need."""

    WORKSPACE = 0


class BuilderFlag(enum.Enum):
    """The flags of 11.4 that our builder could set; none of them sets a precision."""

    TF32 = 0
    STRICT_NANS = 1
    EDITABLE_TIMING_CACHE = 2
    DISABLE_TIMING_CACHE = 3


class Severity(enum.Enum):
    """The severity of a message."""

    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2
    INFO = 3
    VERBOSE = 4


class ILogger:
    """The base of loggers, which must be initialised."""

    Severity = Severity

    def __init__(self) -> None:
        self.ready = True

    def log(self, severity: Severity, msg: str) -> None:
        raise NotImplementedError


def make_tensorrt(machine: Any) -> ModuleType:
    """The module `tensorrt` of a machine."""
    module = ModuleType("tensorrt")

    class IHostMemory(bytes):
        __slots__ = ()

        @property
        def nbytes(self) -> int:
            return len(self)

    class ITimingCache:
        def __init__(self, content: bytes) -> None:
            self._content = content

        def serialize(self) -> IHostMemory:
            return IHostMemory(self._content + b"+measured")

    class IBuilderConfig:
        def __init__(self) -> None:
            machine.flags = {"TF32"}
            self._cache: ITimingCache | None = None

        def __setattr__(self, name: str, value: Any) -> None:
            if name == "builder_optimization_level":
                machine.levels.append(value)
            elif not name.startswith("_"):
                raise AttributeError(name)
            object.__setattr__(self, name, value)

        def set_flag(self, flag: BuilderFlag) -> None:
            machine.flags.add(BuilderFlag(flag).name)

        def clear_flag(self, flag: BuilderFlag) -> None:
            machine.flags.discard(BuilderFlag(flag).name)

        def set_memory_pool_limit(self, pool: MemoryPoolType, pool_size: int) -> None:
            machine.limits[MemoryPoolType(pool).name] = pool_size

        def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache | None:
            return None if serialized_timing_cache == b"garbage" else ITimingCache(serialized_timing_cache)

        def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
            assert not ignore_mismatch, "times of another GPU"
            if cache._content == b"of another GPU":
                return False
            self._cache = cache
            machine.timings.append(cache._content)
            return True

        def get_timing_cache(self) -> ITimingCache | None:
            return self._cache

    class INetworkDefinition:
        def __init__(self) -> None:
            self._content = b""

    class Builder:
        def __init__(self, logger: ILogger) -> None:
            if not machine.cards:
                raise TypeError("pybind11::init(): factory function returned nullptr")
            assert logger.ready
            self._logger = logger

        def create_network(self, flags: int = 0) -> INetworkDefinition:
            assert flags == 0, "there is nothing left to ask for"
            return INetworkDefinition()

        def create_builder_config(self) -> IBuilderConfig:
            return IBuilderConfig()

        def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> IHostMemory | None:
            assert network._content, "the parser refused it"
            if machine.build_error:
                self._logger.log(Severity.WARNING, "a warning")
                self._logger.log(Severity.ERROR, machine.build_error)
                return None
            machine.graphs.append(network._content)
            facts = json.dumps({"tensorrt": machine.tensorrt, "gpu": machine.cards[0].name}).encode()
            return IHostMemory(_MAGIC + len(facts).to_bytes(4, "little") + facts + network._content)

    class ParserError:
        def __init__(self, text: str, node: onnx.NodeProto) -> None:
            self._text, self._node = text, node

        def desc(self) -> str:
            return self._text

        def node_operator(self) -> str:
            return self._node.op_type

        def node_name(self) -> str:
            return self._node.name

    class OnnxParser:
        def __init__(self, network: INetworkDefinition, logger: ILogger) -> None:
            self._network, self._errors = network, []

        def parse(self, model: bytes, path: str | None = None) -> bool:
            proto = onnx.load_model_from_string(model)
            self._errors = [ParserError(text, node) for node, text in _refused(proto)]
            self._network._content = b"" if self._errors else model
            return not self._errors

        @property
        def num_errors(self) -> int:
            return len(self._errors)

        def get_error(self, index: int) -> ParserError:
            return self._errors[index]

    class IExecutionContext:
        def __init__(self, engine: ICudaEngine) -> None:
            self._engine, self._addresses = engine, {}
            self._started = False

        def set_tensor_address(self, name: str, memory: int) -> bool:
            machine.memory(memory, engine_bytes(self._engine, name))
            self._addresses[name] = memory
            return memory % 256 == 0

        def execute_async_v3(self, stream_handle: int) -> bool:
            assert set(self._addresses) == set(self._engine._tensors), "a tensor without memory"
            machine.events.append("execute")
            if machine.capturing(stream_handle):
                assert self._started, "the first run cannot be captured"
                if machine.cannot_capture:
                    machine.streams[stream_handle].broken = True
                    return False
            self._started = True
            machine.enqueue(stream_handle, self._compute)
            return True

        def _compute(self) -> None:
            feeds = {name: self._view(name) for name in self._engine._inputs}
            for name, value in zip(self._engine._outputs, self._engine._run(feeds), strict=True):
                self._view(name)[:] = value

        def _view(self, name: str) -> np.ndarray:
            shape, kind, _ = self._engine._tensors[name]
            dtype = onnx.helper.tensor_dtype_to_np_dtype(kind)
            block = machine.memory(self._addresses[name], engine_bytes(self._engine, name))
            return np.frombuffer(block, dtype).reshape(shape)

    class ICudaEngine:
        def __init__(self, proto: onnx.ModelProto) -> None:
            session = _session(proto)
            self._run = lambda feeds: session.run(self._outputs, feeds)
            self._inputs = [item.name for item in proto.graph.input]
            self._outputs = [item.name for item in proto.graph.output]
            shapes = {item.name: item.shape for item in session.get_outputs()}
            self._tensors = {}
            for item in (*proto.graph.input, *proto.graph.output):
                kind = item.type.tensor_type
                shape = shapes.get(item.name) or [dim.dim_value for dim in kind.shape.dim]
                self._tensors[item.name] = (tuple(shape), kind.elem_type, item.name in self._inputs)

        @property
        def num_io_tensors(self) -> int:
            return len(self._tensors)

        def get_tensor_name(self, index: int) -> str:
            return list(self._tensors)[index]

        def get_tensor_shape(self, name: str) -> tuple[int, ...]:
            return self._tensors[name][0]

        def get_tensor_dtype(self, name: str) -> DataType:
            return DataType(self._tensors[name][1])

        def get_tensor_mode(self, name: str) -> TensorIOMode:
            return TensorIOMode.INPUT if self._tensors[name][2] else TensorIOMode.OUTPUT

        def create_execution_context(self) -> IExecutionContext:
            return IExecutionContext(self)

    def engine_bytes(engine: ICudaEngine, name: str) -> int:
        shape, kind, _ = engine._tensors[name]
        return int(np.prod(shape)) * onnx.helper.tensor_dtype_to_np_dtype(kind).itemsize

    class Runtime:
        def __init__(self, logger: ILogger) -> None:
            assert logger.ready
            self._logger = logger

        def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine | None:
            machine.events.append("deserialize")
            if not serialized_engine.startswith(_MAGIC):
                self._logger.log(Severity.ERROR, "magic tag\n does not match")
                return None
            length = int.from_bytes(serialized_engine[4:8], "little")
            facts = json.loads(serialized_engine[8 : 8 + length])
            assert facts["tensorrt"] == machine.tensorrt
            assert facts["gpu"] in [card.name for card in machine.cards]
            return ICudaEngine(onnx.load_model_from_string(serialized_engine[8 + length :]))

    module.__version__ = machine.tensorrt
    public = (IHostMemory, ITimingCache, IBuilderConfig, INetworkDefinition, Builder, ParserError, OnnxParser)
    public += (IExecutionContext, ICudaEngine, Runtime, ILogger, DataType, TensorIOMode, MemoryPoolType, BuilderFlag)
    vars(module).update({kind.__name__: kind for kind in public})
    return module


def _refused(proto: onnx.ModelProto) -> list[tuple[onnx.NodeProto, str]]:
    """The nodes that TensorRT's documentation excludes, with the reasons."""
    proto = onnx.shape_inference.infer_shapes(proto)
    graph = proto.graph
    types = {item.name: item.type.tensor_type.elem_type for item in (*graph.input, *graph.value_info, *graph.output)}
    types |= {item.name: item.data_type for item in graph.initializer}
    refused = []
    for item in graph.input:
        if not all(dim.HasField("dim_value") for dim in item.type.tensor_type.shape.dim):
            refused.append((graph.node[0], f"{item.name} has a free dimension and there is no profile"))
    for node in graph.node:
        kinds = [types.get(name) for name in node.input if name]
        if TensorProto.UINT8 in kinds and node.op_type != "Cast":
            refused.append((node, "uint8 is an input's type, and can only be cast"))
        if TensorProto.DOUBLE in [*kinds, *(types.get(name) for name in node.output)]:
            refused.append((node, "no double precision"))
        if node.op_type in _FLOAT_ONLY and kinds[0] in (TensorProto.INT32, TensorProto.INT64):
            refused.append((node, "floating point only"))
    return refused


def _session(proto: onnx.ModelProto) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
