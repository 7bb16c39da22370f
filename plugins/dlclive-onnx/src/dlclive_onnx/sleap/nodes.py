"""Builds an ONNX graph node by node, around graphs that exist already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import compose, helper, numpy_helper

from dlclive_core import ModelError

Value = str | NDArray[Any] | np.generic
"""The name of a value in the graph, or a constant."""

FLOAT, INT32, INT64, DOUBLE, BYTE, BOOL = (
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.INT32,
    onnx.TensorProto.INT64,
    onnx.TensorProto.DOUBLE,
    onnx.TensorProto.UINT8,
    onnx.TensorProto.BOOL,
)


class Nodes:
    """The nodes of a graph, in the order of computation.

    Calling it adds one: `nodes("Add", a, np.float32(1))` returns the name of the sum. Names are made up and unique.
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._opsets: dict[str, int] = {}  # of the inserted models
        self._ir_version = 0

    def __call__(self, operation: str, *inputs: Value, **attributes: Any) -> str:
        """Add an operation with one output, and return its name."""
        return self.several(operation, *inputs, outputs=1, **attributes)[0]

    def several(self, operation: str, *inputs: Value, outputs: int, **attributes: Any) -> list[str]:
        """Add an operation with several outputs, and return their names."""
        known = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        name = self._new_name(operation)
        names = [f"{name}_{number}" for number in range(outputs)]
        self._nodes.append(helper.make_node(operation, known, names, **attributes))
        return names

    def call(self, name: str, value: str) -> None:
        """Give a value the name of an output."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))

    def cast(self, value: Value, to: int) -> str:
        """Convert the elements of a value."""
        return self("Cast", value, to=to)

    def insert(self, model: onnx.ModelProto, prefix: str, **inputs: str) -> dict[str, str]:
        """Insert a whole model, and return the names of its outputs by their names in the model.

        Args:
            model: is copied, not modified.
            prefix: of all its names.
            inputs: the values for its inputs.

        Raises:
            ModelError: it was written in another version of ONNX than the one inserted before.
        """
        opsets = {item.domain: item.version for item in model.opset_import}
        if any(self._opsets.get(domain, version) != version for domain, version in opsets.items()):
            raise ModelError("the network and its detector are in different versions of ONNX: export both again")
        if model.functions:
            raise ModelError("the file holds functions, which dlclive does not write: export the model again")
        self._opsets |= opsets
        self._ir_version = max(self._ir_version, model.ir_version)
        graph = compose.add_prefix(model, prefix).graph
        for name, value in inputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [prefix + name]))
        self._nodes.extend(graph.node)
        self._constants.extend(graph.initializer)
        return {item.name: prefix + item.name for item in model.graph.output}

    def model(
        self, image: Sequence[int | str], outputs: Mapping[str, tuple[int, Sequence[int | str]]]
    ) -> onnx.ModelProto:
        """Finish the model.

        Args:
            image: shape of the input `image`, uint8; a name is a free dimension.
            outputs: element type and shape of each output, in order.
        """
        graph = helper.make_graph(
            self._nodes,
            "dlclive",
            [helper.make_tensor_value_info("image", BYTE, list(image))],
            [helper.make_tensor_value_info(name, kind, list(shape)) for name, (kind, shape) in outputs.items()],
            self._constants,
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in (self._opsets or {"": 18}).items()]
        model = helper.make_model(graph, producer_name="dlclive-onnx", opset_imports=opsets)
        model.ir_version = self._ir_version or 10
        return model

    def _constant(self, value: NDArray[Any] | np.generic) -> str:
        name = self._new_name("constant")
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _new_name(self, what: str) -> str:
        return f"sleap_{what.lower()}_{len(self._nodes) + len(self._constants)}"
