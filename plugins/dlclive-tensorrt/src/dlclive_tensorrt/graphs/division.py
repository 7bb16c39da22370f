"""Integer division for the row and column of a cell.

PyTorch exports the floor of an integer quotient as a floating-point division. On a GPU the quotient may be too low in the last
digit, and then the row is off by one where the exact quotient is an integer.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from dlclive_tensorrt.graphs.shapes import known_types

_INTEGERS = (TensorProto.INT32, TensorProto.INT64)
_PASS = ("Reshape", "Squeeze", "Unsqueeze", "Expand", "Gather", "GatherElements", "Identity")


def divide_integers(model: onnx.ModelProto) -> None:
    """Divide as integers where non-negative indices (of a maximum) are divided by a constant and rounded down."""
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    constants = {item.name: item for item in graph.initializer}
    types = known_types(graph)
    for last in graph.node:
        parts = _quotient(last, makers, constants, types)
        if parts is None:
            continue
        dividend, divisor = parts
        kind = types[dividend]
        value = onnx.numpy_helper.to_array(constants[divisor]).astype(onnx.helper.tensor_dtype_to_np_dtype(kind))
        name = f"{last.output[0]}_divisor"
        graph.initializer.append(onnx.numpy_helper.from_array(value, name))
        if _target(last) == kind:
            last.op_type, last.input[:] = "Div", [dividend, name]
            del last.attribute[:]
        else:
            quotient = f"{last.output[0]}_quotient"
            last.input[0] = quotient
            position = next(index for index, node in enumerate(graph.node) if node.output[0] == last.output[0])
            graph.node.insert(position, onnx.helper.make_node("Div", [dividend, name], [quotient]))
    _drop_unused(graph)


def _quotient(
    last: onnx.NodeProto,
    makers: dict[str, onnx.NodeProto],
    constants: dict[str, onnx.TensorProto],
    types: dict[str, int],
) -> tuple[str, str] | None:
    """The integer dividend a and the constant divisor b of Cast(Floor(Div(Cast(a), b))); None for anything else."""
    if last.op_type != "Cast" or _target(last) not in _INTEGERS:
        return None
    floor = makers.get(last.input[0])
    division = makers.get(floor.input[0]) if floor is not None and floor.op_type == "Floor" else None
    if division is None or division.op_type != "Div" or division.input[1] not in constants:
        return None
    before = makers.get(division.input[0])
    if before is None or before.op_type != "Cast" or types.get(before.input[0]) not in _INTEGERS:
        return None
    divisor = onnx.numpy_helper.to_array(constants[division.input[1]])
    is_positive_integer = np.all(divisor == np.round(divisor)) and np.all(divisor >= 1)
    if not is_positive_integer or not _not_negative(before.input[0], makers, constants):
        return None
    return before.input[0], division.input[1]


def _not_negative(name: str, makers: dict[str, onnx.NodeProto], constants: dict[str, onnx.TensorProto]) -> bool:
    """Whether these integers are derived only from indices and non-negative constants."""
    if name in constants:
        return bool(np.all(onnx.numpy_helper.to_array(constants[name]) >= 0))
    node = makers.get(name)
    if node is None:
        return False
    if node.op_type == "ArgMax" or (node.op_type == "TopK" and name == node.output[1]):
        return True
    if node.op_type == "Where":
        return all(_not_negative(each, makers, constants) for each in node.input[1:])
    if node.op_type == "Cast" and _target(node) in _INTEGERS:
        return _not_negative(node.input[0], makers, constants)
    return node.op_type in _PASS and _not_negative(node.input[0], makers, constants)


def _target(node: onnx.NodeProto) -> int:
    return next((int(item.i) for item in node.attribute if item.name == "to"), 0)


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input} | {item.name for item in graph.output}
    for node in reversed(list(graph.node)):
        if not used & set(node.output):
            graph.node.remove(node)
            used = {name for each in graph.node for name in each.input} | {item.name for item in graph.output}
