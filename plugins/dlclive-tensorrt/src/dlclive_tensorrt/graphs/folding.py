"""Constant folding of everything that depends only on the size."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from dlclive_tensorrt.graphs.shapes import infer, known_shapes

_LARGEST = 64 << 20
"""Bytes; larger constants are not folded."""

_WEIGHTS = 1 << 20
"""Bytes; results of larger constants are not folded: these are weights, which TensorRT rearranges itself."""


def fold_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy without the nodes whose outputs are constant, with its shapes inferred."""
    while True:
        model = infer(model)
        if not _fold_once(model):
            return _tidy(model)


def _fold_once(model: onnx.ModelProto) -> bool:
    """Fold what the shapes known so far allow; return whether anything was folded."""
    graph = model.graph
    shapes = known_shapes(graph)
    initializers = {item.name: item for item in graph.initializer}
    values: dict[str, NDArray[np.generic]] = {}
    kept: list[onnx.NodeProto] = []
    needed = {item.name for item in graph.output}
    for node in graph.node:
        computed = None if needed & set(node.output) else _compute(model, node, values, initializers, shapes)
        if computed is None:
            kept.append(node)
            continue
        for name, value in computed.items():
            values[name] = value
            initializers[name] = onnx.numpy_helper.from_array(value, name)
            graph.initializer.append(initializers[name])
    if not values:
        return False
    del graph.node[:]
    graph.node.extend(kept)
    return True


def _compute(
    model: onnx.ModelProto,
    node: onnx.NodeProto,
    values: dict[str, NDArray[np.generic]],
    initializers: dict[str, onnx.TensorProto],
    shapes: dict[str, tuple[int, ...]],
) -> dict[str, NDArray[np.generic]] | None:
    """The outputs of a node that depends only on constants; None for all others."""
    if node.op_type == "Shape" and node.input[0] in shapes:
        bounds = {item.name: item.i for item in node.attribute}
        shape = shapes[node.input[0]][bounds.get("start", 0) : bounds.get("end")]
        return {node.output[0]: np.asarray(shape, np.int64)}
    if any(item.HasField("g") for item in node.attribute) or node.domain not in ("", "ai.onnx"):
        return None
    inputs = [name for name in node.input if name]
    if not all(name in initializers for name in inputs) or any(
        len(initializers[name].raw_data) > _WEIGHTS for name in inputs
    ):
        return None
    feeds = {
        name: values[name] if name in values else onnx.numpy_helper.to_array(initializers[name]) for name in inputs
    }
    single_node = onnx.helper.make_graph(
        [node],
        "one",
        [onnx.helper.make_tensor_value_info(name, initializers[name].data_type, None) for name in feeds],
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UNDEFINED, None) for name in node.output],
    )
    evaluator = ReferenceEvaluator(onnx.helper.make_model(single_node, opset_imports=model.opset_import))
    outputs = [np.asarray(value) for value in evaluator.run(None, feeds)]
    return dict(zip(node.output, outputs, strict=True)) if all(item.nbytes <= _LARGEST for item in outputs) else None


def _tidy(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove unused constants, and nodes that fed only folded nodes."""
    graph = model.graph
    used = {item.name for item in graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(graph.node):
        if used & set(node.output):
            kept.append(node)
            used.update(node.input)
            used.update(name for item in node.attribute if item.HasField("g") for name in _inner(item.g))
    del graph.node[:]
    graph.node.extend(reversed(kept))
    weights = [item for item in graph.initializer if item.name in used]
    del graph.initializer[:]
    graph.initializer.extend(weights)
    return model


def _inner(graph: onnx.GraphProto) -> set[str]:
    """The names that a subgraph of a node uses."""
    return {name for node in graph.node for name in node.input} | {item.name for item in graph.output}
