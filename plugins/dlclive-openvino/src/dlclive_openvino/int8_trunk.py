"""Selects the part of a network that is computed in int8: the trunk, and nothing from which pixels are computed directly.

Positions depend on a few numbers at the end of a network and on edges at its beginning, and int8 has only 256 values. So
these parts stay in float:

- at the end, the heads (the last layer with weights before each output), all arithmetic after them, and the layers on which
  only some of the heads depend;
- at the beginning, the normalisation of the image and the layers that see the image at half its size or more.

The rest is the trunk. Of the trunk, only the convolutions that sum over channels are in int8, and nothing in between:
depthwise convolutions are computed in bf16 anyway.

Measured on a trained CSPNeXt at 640 x 480, as the 95th percentile of the distance to fp32 over keypoints with a confidence
above 0.6: 0.31 px. With all convolutions in int8 except the first one and the heads, it is 0.42 to 0.46 px in 0.9 of the time;
with additions and activations in int8 as well, 0.47 px in 1.15 of the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from dlclive_openvino.library import ov

_LAYERS = frozenset({"Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData"})
_STRIDE = frozenset({"Convolution", "GroupConvolution", "MaxPool", "AvgPool"})
_PASSES_ON = frozenset({"Convert", "Reshape", "Transpose", "Unsqueeze", "Squeeze"})
_SMALL = 4
"""From this stride on, layers see the image at a quarter of its size or less."""

Node: TypeAlias = ov.Node


def trunk(model: ov.Model) -> list[str]:
    """The names of the trunk's convolutions, in graph order; empty if the network has no trunk."""
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
    """The names of all nodes that stay in float: all except the trunk's convolutions."""
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
    """Whether the node is a layer: a convolution or a product with a constant matrix. A product of two activations is not."""
    if node.get_type_name() != "MatMul":
        return node.get_type_name() in _LAYERS
    return any(_is_constant(item.get_source_output().get_node()) for item in node.inputs())


def _is_constant(node: Node) -> bool:
    while node.get_type_name() in _PASSES_ON:
        node = node.input_value(0).get_node()
    return node.get_type_name() == "Constant"


def _layers_after(backwards: Iterable[Node]) -> dict[str, frozenset[str]]:
    """For each node, the layers that depend on it."""
    layers: dict[str, frozenset[str]] = {}
    for node in backwards:
        users = [item.get_node() for out in node.outputs() for item in out.get_target_inputs()]
        own = {_name(user) for user in users if _has_weights(user)}
        layers[_name(node)] = frozenset(own.union(*(layers[_name(user)] for user in users)))
    return layers


def _strides(nodes: Iterable[Node]) -> dict[str, int]:
    """For each node, the distance between neighbouring cells in pixels of the image."""
    strides: dict[str, int] = {}
    for node in nodes:
        inputs = [strides[_name(item.get_source_output().get_node())] for item in node.inputs()]
        own = node.get_attributes().get("strides") if node.get_type_name() in _STRIDE else None
        strides[_name(node)] = max(inputs, default=1) * (own[0] if own else 1)
    return strides
