"""Converts tensors to the types that TensorRT supports."""

from __future__ import annotations

import onnx
from onnx import TensorProto

from dlclive_tensorrt.graphs.shapes import known_types

_IN_FLOAT_ONLY = ("CumSum", "Pow", "Clip")
_INTEGERS = (TensorProto.INT32, TensorProto.INT64)


def cast_image_first(model: onnx.ModelProto) -> None:
    """Cast the image to floating point before anything else: TensorRT accepts uint8 inputs but can only cast them.

    The operators in between (padding and transposes) only move integers of 0..255, which gives the same result in any type.
    """
    graph = model.graph
    names = {item.name for item in graph.input if item.type.tensor_type.elem_type == TensorProto.UINT8}
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name in names:
                node.input[index] = f"{name}_float"
    for name in sorted(names):
        graph.node.insert(0, onnx.helper.make_node("Cast", [name], [f"{name}_float"], to=TensorProto.FLOAT))


def floats_where_needed(model: onnx.ModelProto) -> None:
    """Cast integers to float32, exact up to 2 ** 24, around operators that TensorRT supports only in floating point."""
    graph = model.graph
    types = known_types(graph)
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        kind = types.get(node.input[0]) if node.op_type in _IN_FLOAT_ONLY else None
        if kind not in _INTEGERS:
            nodes.append(node)
            continue
        wide = [name for name in node.input if name and not (node.op_type == "CumSum" and name == node.input[1])]
        for name in dict.fromkeys(wide):
            nodes.append(onnx.helper.make_node("Cast", [name], [f"{node.output[0]}_{name}"], to=TensorProto.FLOAT))
        for index, name in enumerate(node.input):
            if name in wide:
                node.input[index] = f"{node.output[0]}_{name}"
        result = node.output[0]
        node.output[0] = f"{result}_float"
        nodes += [node, onnx.helper.make_node("Cast", [node.output[0]], [result], to=kind)]
    del graph.node[:]
    graph.node.extend(nodes)


def doubles_to_floats(model: onnx.ModelProto) -> None:
    """Convert double precision to float32, and remove the inferred types, which are no longer valid."""
    graph = model.graph
    for node in graph.node:
        for item in node.attribute:
            if item.name == "to" and item.i == TensorProto.DOUBLE:
                item.i = TensorProto.FLOAT
            elif item.name == "value" and item.t.data_type == TensorProto.DOUBLE:
                item.t.CopyFrom(_as_float(item.t))
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.DOUBLE:
            tensor.CopyFrom(_as_float(tensor))
    del graph.value_info[:]


def _as_float(tensor: onnx.TensorProto) -> onnx.TensorProto:
    return onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor).astype("float32"), tensor.name)
