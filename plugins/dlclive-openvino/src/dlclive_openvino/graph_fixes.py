"""What OpenVINO computes otherwise than a graph says, written in another way."""

from __future__ import annotations

import numpy as np

from dlclive_openvino.library import ov, replace_node

_OPS = ov.opset13
_TO_WHOLE = frozenset({"Convert", "Floor", "Ceiling", "Round"})


def fix_graph(model: ov.Model) -> None:
    """Change a model in place, so that it is compiled to what it says.

    - `Abs` of something that is constant once the sizes are fixed is dropped, so that negative numbers stay negative
      (openvino pull request 31735, not merged in 2026.4): the mirror at the edge of a padded image is computed with it.
      It becomes the larger of x and -x.
    - A product and a sum become one operation, which rounds once and not twice. Where the sum is then cut to a whole number,
      as the points are at which part affinity fields are looked at, it can become the next one. It is written as a sum over
      an axis, which is an operation of its own.
    """
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Abs":
            _replace(node, _absolute(node.input_value(0)))
        elif node.get_type_name() == "Add" and _is_cut(node) and _has_product(node):
            _replace(node, _sum(node.input_value(0), node.input_value(1)))


def _absolute(value: ov.Output) -> ov.Node:
    return _OPS.maximum(value, _OPS.multiply(value, _OPS.constant(np.array(-1), value.get_element_type())))


def _sum(one: ov.Output, other: ov.Output) -> ov.Node:
    one = _OPS.broadcast(one, _OPS.shape_of(other), broadcast_spec="BIDIRECTIONAL").output(0)
    other = _OPS.broadcast(other, _OPS.shape_of(one), broadcast_spec="BIDIRECTIONAL").output(0)
    both = _OPS.concat([_OPS.unsqueeze(item, _OPS.constant([0])) for item in (one, other)], 0)
    return _OPS.reduce_sum(both, _OPS.constant([0]), keep_dims=False)


def _is_cut(node: ov.Node) -> bool:
    """Whether a number in floating point becomes a whole one next."""
    users = [item.get_node() for item in node.output(0).get_target_inputs()]
    return node.get_element_type().is_real() and any(
        user.get_type_name() in _TO_WHOLE
        and not (user.get_type_name() == "Convert" and user.get_element_type().is_real())
        for user in users
    )


def _has_product(node: ov.Node) -> bool:
    return any(node.input_value(index).get_node().get_type_name() == "Multiply" for index in (0, 1))


def _replace(node: ov.Node, other: ov.Node) -> None:
    other.set_friendly_name(node.get_friendly_name())
    replace_node(node, other)
