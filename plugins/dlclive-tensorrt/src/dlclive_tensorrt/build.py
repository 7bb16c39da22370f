"""Building a plan. Only this module uses TensorRT's builder."""

from __future__ import annotations

from dataclasses import dataclass

import tensorrt as trt

from dlclive_core import ModelError, UsageError
from dlclive_tensorrt.cuda import Gpu
from dlclive_tensorrt.messages import Messages
from dlclive_tensorrt.timing import attach_timing, keep_timing

LEVEL = 5
"""The highest of 0..5: TensorRT tries all its kernels, and the build takes longer. TensorRT's default is 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRules:
    """How an engine is built.

    Attributes:
        level: TensorRT's builder optimisation level, 0..5: how long it searches for the fastest kernels.
        workspace: bytes of scratch GPU memory that a layer may use; None: unlimited.
    """

    level: int = LEVEL
    workspace: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.level <= 5:
            raise UsageError(f"level must be from 0 to 5; got {self.level}")
        if self.workspace is not None and self.workspace < 1:
            raise UsageError(f"workspace must be 1 byte or more; got {self.workspace}")


def build_plan(onnx_bytes: bytes, gpu: Gpu, rules: BuildRules, name: str) -> bytes:
    """Build the plan of an ONNX graph with static shapes.

    The graph sets the precision: in TensorRT 11 every network is strongly typed. float32 is not rounded to TF32, and NaN is
    preserved, because it means "not found".

    Args:
        onnx_bytes: the graph, made by `graphs.prepare`.
        gpu: this thread's GPU, see `cuda.use_gpu`.
        rules: the build options.
        name: the source's name, for messages.

    Raises:
        ModelError: TensorRT cannot read or build the graph.
        GpuMemoryError: the GPU has too little memory for the build.
    """
    messages = Messages()
    builder = messages.start(trt.Builder, "builder")
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, messages)
    if not parser.parse(onnx_bytes):
        raise ModelError(f"TensorRT {trt.__version__} cannot read the graph of {name}: {_parser_error(parser)}")
    config = builder.create_builder_config()
    config.builder_optimization_level = rules.level
    config.clear_flag(trt.BuilderFlag.TF32)
    config.set_flag(trt.BuilderFlag.STRICT_NANS)
    if rules.workspace is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, rules.workspace)
    attach_timing(config, gpu)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise messages.failure(f"TensorRT {trt.__version__} cannot build {name} on {gpu}")
    keep_timing(config, gpu)
    return bytes(memoryview(plan))


def _parser_error(parser: trt.OnnxParser) -> str:
    """The parser's first error and its operator."""
    if not parser.num_errors:
        return "TensorRT gave no reason"
    error = parser.get_error(0)
    return f"{' '.join(error.desc().split())} (operator {error.node_operator()}, {error.node_name()})"
