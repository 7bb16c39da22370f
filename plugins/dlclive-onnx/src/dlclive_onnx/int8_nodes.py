"""Which nodes of a network are computed in eight bits, so that a CPU gains by it and keypoints stay where they are.

What pays on a CPU with dot products of bytes (VNNI) was measured; benchmarks/int8.md has the numbers:

- dense convolutions before the heads, and the elementwise steps between them, so that whole stretches stay in bytes: each
  way back to float and its activation costs more than a convolution saves;
- not the first convolution, which has three channels to multiply and sees the normalised image;
- not depthwise convolutions, which have as much to move as to compute, and take as long in bytes as in float;
- not the convolutions of gates, which see one mean of the picture: nothing to gain, and all channels hang on them;
- neither heads, nor the last convolution of all, nor decoding, whose error goes straight into the position of a keypoint.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import helper, numpy_helper

ELEMENTWISE = ("Sigmoid", "Mul", "Add", "Concat", "MaxPool", "GlobalAveragePool", "Relu", "Clip", "Resize")
"""Steps that are done in bytes where what they take comes in bytes."""

_FEW_CHANNELS = 4
_HEADS = {"head", "heads"}  # of a DeepLabCut network, as the exporter names their weights: network.heads.bodypart...
_MIXING = ("Conv", "ConvTranspose", "MatMul", "Gemm")


def use_global_pooling(model: onnx.ModelProto) -> None:
    """Write means over a whole picture as the pooling that ONNX Runtime also has for bytes; in place."""
    constants = {item.name: item for item in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "ReduceMean" or len(node.input) != 2 or node.input[1] not in constants:
            continue
        axes = numpy_helper.to_array(constants[node.input[1]]).tolist()
        kept = next((helper.get_attribute_value(item) for item in node.attribute if item.name == "keepdims"), 1)
        if kept and axes in ([2, 3], [-2, -1], [-1, -2], [3, 2]):
            node.op_type = "GlobalAveragePool"
            del node.input[1:]
            del node.attribute[:]
    used = {name for node in model.graph.node for name in node.input}
    for item in [item for name, item in constants.items() if name not in used]:
        model.graph.initializer.remove(item)  # the axes of these means; ONNX Runtime would warn of them


def choose_nodes(graph: onnx.GraphProto) -> list[str]:
    """The names of the nodes that are computed in eight bits; empty if there is no convolution that may be.

    An elementwise step belongs to them if one of the things that it takes comes from one of them, so a gate that was
    computed in float beside a stretch of bytes is made bytes of where the two meet.
    """
    constants = {item.name: item for item in graph.initializer}
    mixed_later = _mixed_later(graph)
    means = {name for node in graph.node if node.op_type == "GlobalAveragePool" for name in node.output}
    in_bytes: set[str] = set()
    chosen: list[str] = []
    for node in graph.node:  # in the order in which they are computed
        if node.op_type == "Conv":
            is_head = bool(_HEADS & set(node.input[1].split(".")))
            takes = _is_dense(node, constants) and node.input[0] not in means and not is_head
        else:
            takes = node.op_type in ELEMENTWISE and any(name in in_bytes for name in node.input)
        if takes and mixed_later & set(node.output):
            chosen.append(node.name)
            in_bytes.update(node.output)
    return chosen


def _is_dense(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    """A convolution that mixes many channels; `dims` of its weight are (out, in per group, height, width)."""
    weight = constants.get(node.input[1])
    group = next((item.i for item in node.attribute if item.name == "group"), 1)
    return weight is not None and group == 1 and weight.dims[1] > _FEW_CHANNELS


def _mixed_later(graph: onnx.GraphProto) -> set[str]:
    """Everything that a later convolution or matrix product depends on."""
    needed: set[str] = set()
    for node in reversed(graph.node):
        if node.op_type in _MIXING:
            needed.add(node.input[0])
        if needed & set(node.output):
            needed.update(node.input)
    return needed


def name_nodes(nodes: Iterable[onnx.NodeProto]) -> None:
    """Give a name to each node that has none, because nodes are chosen by name; in place."""
    for number, node in enumerate(nodes):
        node.name = node.name or f"node_{number}"
