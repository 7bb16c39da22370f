"""Which part of a network int8 is for, found out from its graph: the trunk, and nothing that pixels are computed from.

Positions come from few numbers at the end of a network, and from edges at its beginning, and int8 has only 256 numbers. So
these stay in float: the heads, that is the last layer with weights before each output, all arithmetic after them, and what
only some of the heads depend on; and at the other end the normalisation of the image, and the layers that see the image at
half of its size or more. Of the trunk, which is what is left, the convolutions are in int8 that add up channels, and nothing in
between: depthwise ones are computed in bf16 all the same.

Measured on a trained CSPNeXt
(640 x 480; 95th percentile of the distance to fp32, of keypoints with a confidence over 0.6): 0.31 px.
With all convolutions but the first and the heads' in int8 it is 0.42 to 0.46 px, in nine tenths of the time; with additions and
activations in int8, too, 0.47 px, in 1.15 of the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from dlclive_openvino.library import ov

_LAYERS = frozenset({"Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData"})
_STRIDE = frozenset({"Convolution", "GroupConvolution", "MaxPool", "AvgPool"})
_PASSES_ON = frozenset({"Convert", "Reshape", "Transpose", "Unsqueeze", "Squeeze"})
_SMALL = 4
"""Layers see the image at a quarter of its size, or less, from this stride on."""

Node: TypeAlias = ov.Node


def trunk(model: ov.Model) -> list[str]:
    """Names of the convolutions that int8 is for, in the order of the graph; empty where there are none."""
    nodes = model.get_ordered_ops()
    after = _layers_after(reversed(nodes))
    strides = _strides(nodes)
    heads = {_name(node) for node in nodes if _has_weights(node) and not after[_name(node)]}
    return [
        _name(node)
        for node in nodes
        if node.get_type_name() == "Convolution"
        and heads <= after[_name(node)]
        and strides[_name(node.input_value(0).get_node())] >= _SMALL
    ]


def in_float(model: ov.Model) -> list[str]:
    """Names of all nodes that stay in float: all but the trunk's convolutions."""
    inner = set(trunk(model))
    fixed = ("Constant", "Parameter", "Result")
    return [
        _name(node)
        for node in model.get_ordered_ops()
        if _name(node) not in inner and node.get_type_name() not in fixed
    ]


def _name(node: Node) -> str:
    return node.get_friendly_name()


def _has_weights(node: Node) -> bool:
    """Whether this is a layer: a convolution, or a product with a constant matrix, but not one of two activations."""
    if node.get_type_name() != "MatMul":
        return node.get_type_name() in _LAYERS
    return any(_is_constant(item.get_source_output().get_node()) for item in node.inputs())


def _is_constant(node: Node) -> bool:
    while node.get_type_name() in _PASSES_ON:
        node = node.input_value(0).get_node()
    return node.get_type_name() == "Constant"


def _layers_after(backwards: Iterable[Node]) -> dict[str, frozenset[str]]:
    """For each node, the layers that depend on it."""
    found: dict[str, frozenset[str]] = {}
    for node in backwards:
        users = [item.get_node() for out in node.outputs() for item in out.get_target_inputs()]
        own = {_name(user) for user in users if _has_weights(user)}
        found[_name(node)] = frozenset(own.union(*(found[_name(user)] for user in users)))
    return found


def _strides(nodes: Iterable[Node]) -> dict[str, int]:
    """For each node, how many pixels of the image one of its cells is apart from the next."""
    found: dict[str, int] = {}
    for node in nodes:
        inputs = [found[_name(item.get_source_output().get_node())] for item in node.inputs()]
        own = node.get_attributes().get("strides") if node.get_type_name() in _STRIDE else None
        found[_name(node)] = max(inputs, default=1) * (own[0] if own else 1)
    return found
