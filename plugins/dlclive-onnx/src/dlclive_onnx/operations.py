"""Floating-point operations of a graph, counted from the actual shapes of its convolutions and matrix products."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort
from numpy.typing import NDArray

_COUNTED = ("Conv", "ConvTranspose", "MatMul", "Gemm")
_TENSORS = ("first", "second", "output")

Shape = Sequence[int]


def count_operations(path: Path, inputs: Mapping[str, NDArray[Any]]) -> float:
    """Floating-point operations of one run, a multiplication and an addition counted as two; NaN without `onnx`.

    Inner shapes depend on the input through arithmetic that only a run resolves. So the graph runs once, with an added output
    for the shape of every input and output of the counted nodes.
    """
    try:
        import onnx
    except ImportError:
        return float("nan")
    model = onnx.load(path)
    graph = model.graph
    nodes = [node for node in graph.node if node.op_type in _COUNTED]
    if not nodes:
        return 0.0
    del graph.output[:]
    for number, node in enumerate(nodes):
        for role, name in zip(_TENSORS, (node.input[0], node.input[1], node.output[0]), strict=True):
            shape = f"dlclive_{role}_{number}"
            graph.node.append(onnx.helper.make_node("Shape", [name], [shape]))
            graph.output.append(onnx.helper.make_tensor_value_info(shape, onnx.TensorProto.INT64, None))
    options = ort.SessionOptions()
    options.graph_optimization_level = (
        ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    )  # optimisation would merge counted nodes
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"])
    shapes = [shape.tolist() for shape in session.run(None, dict(inputs))]
    total = 0
    for number, node in enumerate(nodes):
        first, second, output = shapes[3 * number : 3 * number + 3]
        transposed = any(item.name == "transA" and item.i for item in node.attribute)
        total += node_operations(node.op_type, first, second, output, transposed=transposed)
    return float(total)


def node_operations(kind: str, first: Shape, second: Shape, output: Shape, *, transposed: bool = False) -> int:
    """Operations of one node, from the shapes of its two inputs (image and weights of a convolution) and its output."""
    if kind == "Conv":  # each output cell: all channels of its group, times the kernel
        return 2 * math.prod(output) * math.prod(second[1:])
    if kind == "ConvTranspose":  # each input cell: to all channels of its group, times the kernel
        return 2 * math.prod(first) * math.prod(second[1:])
    return 2 * math.prod(output) * first[-2 if transposed else -1]
