"""Removes padding by zero pixels, which would copy the image without changing it."""

from __future__ import annotations

import numpy as np
import onnx

from dlclive_tensorrt.graphs.shapes import known_shapes


def drop_idle_gathers(model: onnx.ModelProto) -> None:
    """Remove each Gather with the indices 0, 1, 2, ... of a complete dimension."""
    graph = model.graph
    shapes = known_shapes(graph)
    constants = {item.name: item for item in graph.initializer}
    outputs = {item.name for item in graph.output}
    renamed: dict[str, str] = {}
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)
        if _idle(node, shapes, constants) and node.output[0] not in outputs:
            renamed[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _idle(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]], constants: dict[str, onnx.TensorProto]) -> bool:
    if node.op_type != "Gather" or node.input[1] not in constants or node.input[0] not in shapes:
        return False
    axis = next((item.i for item in node.attribute if item.name == "axis"), 0)
    indices = onnx.numpy_helper.to_array(constants[node.input[1]])
    return indices.ndim == 1 and np.array_equal(indices, np.arange(shapes[node.input[0]][axis]))
