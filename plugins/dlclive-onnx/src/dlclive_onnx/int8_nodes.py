"""The nodes of a network that run in int8, selected so that a CPU gets faster and keypoints stay accurate.

What pays off on a CPU with int8 dot products (VNNI) was measured; see benchmarks/int8.md:

- dense convolutions before the heads, and the elementwise operations between them, so that whole stretches stay in int8:
  each conversion back to float costs more than a convolution saves;
- not the first convolution, which has only three input channels and sees the normalised image;
- not depthwise convolutions, which are memory-bound and take as long in int8 as in float;
- not the convolutions of gates, which see the mean of the image: there is nothing to gain, and all channels depend on them;
- not the heads, the very last convolution, or decoding, whose error directly shifts a keypoint.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import helper, numpy_helper

ELEMENTWISE = ("Sigmoid", "Mul", "Add", "Concat", "MaxPool", "GlobalAveragePool", "Relu", "Clip", "Resize")
"""Operations that run in int8 if an input of theirs is in int8."""

_FEW_CHANNELS = 4
_HEADS = {"head", "heads"}  # of a DeepLabCut network, as the exporter names their weights: network.heads.bodypart...
_MIXING = ("Conv", "ConvTranspose", "MatMul", "Gemm")


def use_global_pooling(model: onnx.ModelProto) -> None:
    """Replace means over the whole image by global pooling, which ONNX Runtime also has in int8. In place."""
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
        model.graph.initializer.remove(item)  # the axes of these means; ONNX Runtime warns about unused ones


def choose_nodes(graph: onnx.GraphProto) -> list[str]:
    """The names of the nodes that run in int8; empty if no convolution qualifies.

    An elementwise operation is among them if one of its inputs is the output of another, so a gate that is computed in float
    beside an int8 stretch is quantised where the two meet.
    """
    constants = {item.name: item for item in graph.initializer}
    mixed_later = _mixed_later(graph)
    means = {name for node in graph.node if node.op_type == "GlobalAveragePool" for name in node.output}
    in_bytes: set[str] = set()
    names: list[str] = []
    for node in graph.node:  # in the order of computation
        if node.op_type == "Conv":
            is_head = bool(_HEADS & set(node.input[1].split(".")))
            takes = _is_dense(node, constants) and node.input[0] not in means and not is_head
        else:
            takes = node.op_type in ELEMENTWISE and any(name in in_bytes for name in node.input)
        if takes and mixed_later & set(node.output):
            names.append(node.name)
            in_bytes.update(node.output)
    return names


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
    """Name every unnamed node, because nodes are selected by name. In place."""
    for number, node in enumerate(nodes):
        node.name = node.name or f"node_{number}"
