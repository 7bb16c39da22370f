"""The shapes and types of a graph's tensors."""

from __future__ import annotations

import onnx

from dlclive_core import UsageError


def fix_inputs(model: onnx.ModelProto, batch: int, height_width: tuple[int, int]) -> None:
    """Give every input of a graph one shape: `image` (batch, height, width, 3), others their first dimension.

    Raises:
        UsageError: a dimension is another number already.
    """
    for item in model.graph.input:
        dims = item.type.tensor_type.shape.dim
        wanted = (batch, *height_width, 3) if item.name == "image" else (batch,)
        told = "x".join(str(each.dim_value or each.dim_param) for each in dims)
        for dim, length in zip(dims, wanted, strict=False):
            if dim.HasField("dim_value") and dim.dim_value != length:
                raise UsageError(
                    f"the graph's input {item.name} is fixed to {told}, and cannot be {'x'.join(map(str, wanted))}: "
                    "export the ONNX file again without --size, or with this one"
                )
            dim.dim_value = length
    for item in model.graph.output:  # found out anew from the inputs
        for dim in item.type.tensor_type.shape.dim:
            if not dim.HasField("dim_value"):
                dim.Clear()


def infer(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which shapes and types are as known as they can be."""
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model, data_prop=True)


def known_shapes(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    """The shapes that are numbers throughout, by name."""
    found: dict[str, tuple[int, ...]] = {item.name: tuple(item.dims) for item in graph.initializer}
    for item in (*graph.input, *graph.value_info, *graph.output):
        shape = item.type.tensor_type.shape
        if item.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in shape.dim):
            found[item.name] = tuple(dim.dim_value for dim in shape.dim)
    return found


def known_types(graph: onnx.GraphProto) -> dict[str, int]:
    """The types of elements (`onnx.TensorProto.FLOAT`, ...) by name."""
    found = {item.name: item.data_type for item in graph.initializer}
    for item in (*graph.input, *graph.value_info, *graph.output):
        found[item.name] = item.type.tensor_type.elem_type
    return found
