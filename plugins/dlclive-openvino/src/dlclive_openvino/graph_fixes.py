"""Rewrites of graphs that OpenVINO would otherwise compute wrongly."""

from __future__ import annotations

import numpy as np

from dlclive_openvino.library import ov, replace_node

_OPS = ov.opset13
_ROUNDING = frozenset({"Convert", "Floor", "Ceiling", "Round"})


def fix_graph(model: ov.Model) -> None:
    """Change a model in place so that OpenVINO computes it as written.

    - OpenVINO drops `Abs` of a value that is constant once the sizes are fixed, so negative numbers stay negative (openvino
      pull request 31735, not merged in 2026.4). The mirror padding at the edge of an image depends on it. `Abs` becomes
      max(x, -x).
    - OpenVINO fuses a product and a sum, which then round once instead of twice. If the sum is then rounded to an integer,
      as the points at which part affinity fields are sampled are, the result can be off by one. The sum becomes a sum over
      an axis, which is not fused.
    """
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Abs":
            _replace(node, _absolute(node.input_value(0)))
        elif node.get_type_name() == "Add" and _is_rounded(node) and _has_product(node):
            _replace(node, _sum(node.input_value(0), node.input_value(1)))


def _absolute(value: ov.Output) -> ov.Node:
    return _OPS.maximum(value, _OPS.multiply(value, _OPS.constant(np.array(-1), value.get_element_type())))


def _sum(left: ov.Output, right: ov.Output) -> ov.Node:
    left = _OPS.broadcast(left, _OPS.shape_of(right), broadcast_spec="BIDIRECTIONAL").output(0)
    right = _OPS.broadcast(right, _OPS.shape_of(left), broadcast_spec="BIDIRECTIONAL").output(0)
    stacked = _OPS.concat([_OPS.unsqueeze(item, _OPS.constant([0])) for item in (left, right)], 0)
    return _OPS.reduce_sum(stacked, _OPS.constant([0]), keep_dims=False)


def _is_rounded(node: ov.Node) -> bool:
    """Whether the next operation rounds a floating-point number to an integer."""
    users = [item.get_node() for item in node.output(0).get_target_inputs()]
    return node.get_element_type().is_real() and any(
        user.get_type_name() in _ROUNDING
        and not (user.get_type_name() == "Convert" and user.get_element_type().is_real())
        for user in users
    )


def _has_product(node: ov.Node) -> bool:
    return any(node.input_value(index).get_node().get_type_name() == "Multiply" for index in (0, 1))


def _replace(node: ov.Node, other: ov.Node) -> None:
    other.set_friendly_name(node.get_friendly_name())
    replace_node(node, other)
