"""Merges the five operators of a group normalisation into one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from dlclive_core import UsageError
from dlclive_tensorrt.graphs.shapes import known_shapes

OPSET = 21
"""From this opset on, GroupNormalization has a scale and a bias per channel, as in PyTorch."""

_CHANGED = ("GridSample",)
"""Operators of dlclive's files whose meaning changes with this opset."""


@dataclass(frozen=True, slots=True)
class _Norm:
    """Reshape to (N, groups, -1), InstanceNormalization, Reshape back, Mul, Add."""

    nodes: tuple[onnx.NodeProto, ...]
    groups: int
    epsilon: float
    scale: NDArray[np.generic]
    bias: NDArray[np.generic]


def merge_group_norms(model: onnx.ModelProto) -> int:
    """Replace each group normalisation of five operators by one GroupNormalization; return their number.

    Raises:
        UsageError: the new opset would change the meaning of an operator of the graph.
    """
    graph = model.graph
    constants = {item.name: item for item in graph.initializer}
    shapes = known_shapes(graph)
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    norms = [norm for node in graph.node if (norm := _norm(node, constants, shapes, users)) is not None]
    if not norms:
        return 0
    if any(node.op_type in _CHANGED for node in graph.node):
        raise UsageError(f"the graph has {_CHANGED[0]}, so its group normalisations cannot be merged")
    for norm in norms:
        name = norm.nodes[-1].output[0]
        for part, value in (("scale", norm.scale), ("bias", norm.bias)):
            graph.initializer.append(onnx.numpy_helper.from_array(value, f"{name}_{part}"))
        merged = onnx.helper.make_node(
            "GroupNormalization",
            [norm.nodes[0].input[0], f"{name}_scale", f"{name}_bias"],
            [name],
            num_groups=norm.groups,
            epsilon=norm.epsilon,
        )
        norm.nodes[-1].CopyFrom(merged)
        for node in norm.nodes[:-1]:
            graph.node.remove(node)
    for item in model.opset_import:
        if item.domain in ("", "ai.onnx"):
            item.version = max(item.version, OPSET)
    return len(norms)


def _norm(
    first: onnx.NodeProto,
    constants: dict[str, onnx.TensorProto],
    shapes: dict[str, tuple[int, ...]],
    users: dict[str, list[onnx.NodeProto]],
) -> _Norm | None:
    """The normalisation that starts at this node; None if there is none."""
    nodes = [first]
    for kind in ("InstanceNormalization", "Reshape", "Mul", "Add"):
        after = users.get(nodes[-1].output[0], [])
        if len(after) != 1 or after[0].op_type != kind:
            return None
        nodes.append(after[0])
    before, between = shapes.get(first.input[0], ()), shapes.get(nodes[1].input[0], ())
    back = shapes.get(nodes[2].output[0], ())
    if len(before) != 4 or len(between) != 3 or before != back or between[0] != before[0]:
        return None
    inner_scale, inner_bias = (_constant(nodes[1].input[index], constants) for index in (1, 2))
    scale, bias = (_constant(_other(node, last), constants) for node, last in zip(nodes[3:], nodes[2:4], strict=True))
    if inner_scale is None or inner_bias is None or scale is None or bias is None:
        return None
    if not (np.all(inner_scale == 1) and np.all(inner_bias == 0) and scale.size == bias.size == before[1]):
        return None
    epsilon = next((item.f for item in nodes[1].attribute if item.name == "epsilon"), 1e-5)
    return _Norm(tuple(nodes), between[1], epsilon, scale.reshape(-1), bias.reshape(-1))


def _other(node: onnx.NodeProto, before: onnx.NodeProto) -> str:
    """The input that is not the output of `before`."""
    return next((name for name in node.input if name != before.output[0]), "")


def _constant(name: str, constants: dict[str, onnx.TensorProto]) -> NDArray[np.generic] | None:
    return onnx.numpy_helper.to_array(constants[name]) if name in constants else None
