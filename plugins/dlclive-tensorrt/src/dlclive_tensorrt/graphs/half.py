"""Converts the network of a float32 graph to half precision, and nothing else.

TensorRT computes each operator in the type set by the graph, so half precision has to be in the graph. The network is
everything from the first layer with weights to the last. Normalisation comes before it, decoding after it; both stay in
float32, because half precision has no odd numbers above 2048.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from dlclive_core import UsageError
from dlclive_tensorrt.graphs.shapes import infer, known_types

_LAYERS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
_SINGLE = {"Resize": (1, 2)}
"""Inputs that are float32 in any precision of the operator."""

_SAMPLERS = ("GridSample",)
"""Operators within the network that sample at positions in pixels."""

_LARGEST = float(np.finfo(np.float16).max)


def halve_network(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with the network's weights and arithmetic in half precision.

    Raises:
        UsageError: the network contains an operator or a number that half precision cannot represent.
    """
    model = infer(model)
    graph = model.graph
    network = _network(graph)
    if any(node.op_type in _SAMPLERS for node, inside in zip(graph.node, network, strict=True) if inside):
        raise UsageError(
            f"a network with {_SAMPLERS[0]} cannot be converted to fp16 from its ONNX file: export the model itself"
        )
    types = known_types(graph)
    halves = {
        name
        for node, inside in zip(graph.node, network, strict=True)
        for name in node.output
        if inside and types.get(name) == TensorProto.FLOAT
    }
    _Halving(graph, types, halves).rewrite(network)
    del graph.value_info[:]
    return model


def _network(graph: onnx.GraphProto) -> list[bool]:
    """For each node, whether it is a layer with weights or lies between two of them."""
    weights = {item.name for item in graph.initializer}
    layers = [node.op_type in _LAYERS and bool(weights & set(node.input)) for node in graph.node]
    after: set[str] = set()
    behind = []
    for node, layer in zip(graph.node, layers, strict=True):
        behind.append(layer or bool(after & set(node.input)))
        after.update(node.output if behind[-1] else ())
    before: set[str] = set()
    inside = []
    for node, layer, follows in zip(reversed(graph.node), reversed(layers), reversed(behind), strict=True):
        leads = layer or bool(before & set(node.output))
        before.update(node.input if leads else ())
        inside.append(leads and follows)
    return inside[::-1]


class _Halving:
    """Rewrites a graph, with a cast where a tensor enters or leaves the network."""

    def __init__(self, graph: onnx.GraphProto, types: dict[str, int], halves: set[str]) -> None:
        self._graph, self._types, self._halves = graph, types, halves
        self._constants = {item.name: item for item in graph.initializer}
        self._nodes: list[onnx.NodeProto] = []
        self._created: set[str] = set()

    def rewrite(self, network: list[bool]) -> None:
        outputs = {item.name for item in self._graph.output}
        for node, inside in zip(list(self._graph.node), network, strict=True):
            for index, name in enumerate(node.input):
                stays_single = inside and index in _SINGLE.get(node.op_type, ())
                if (
                    inside
                    and not stays_single
                    and self._types.get(name) == TensorProto.FLOAT
                    and name not in self._halves
                ):
                    node.input[index] = self._half(name)
                elif not inside and name in self._halves:
                    node.input[index] = self._cast(name, f"{name}_single", TensorProto.FLOAT)
            if inside and node.op_type == "Cast" and node.output[0] in self._halves:
                next(item for item in node.attribute if item.name == "to").i = TensorProto.FLOAT16
            self._nodes.append(node)
            for name in outputs & self._halves & set(node.output):
                node.output[list(node.output).index(name)] = f"{name}_half"
                self._nodes.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        used = {name for node in self._nodes for name in node.input}
        weights = [item for item in self._graph.initializer if item.name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend(weights)

    def _half(self, name: str) -> str:
        """The name of the tensor in half precision: a new constant or the output of a cast."""
        half = f"{name}_half"
        if name not in self._constants:
            return self._cast(name, half, TensorProto.FLOAT16)
        if half not in self._created:
            self._created.add(half)
            value = onnx.numpy_helper.to_array(self._constants[name])
            if np.abs(value[np.isfinite(value)]).max(initial=0) > _LARGEST:
                raise UsageError(
                    f"{name} of the network contains numbers above {_LARGEST:g}, the largest of fp16: use fp32"
                )
            self._graph.initializer.append(onnx.numpy_helper.from_array(value.astype(np.float16), half))
        return half

    def _cast(self, name: str, changed: str, kind: int) -> str:
        if changed not in self._created:
            self._created.add(changed)
            self._nodes.append(onnx.helper.make_node("Cast", [name], [changed], to=kind))
        return changed
