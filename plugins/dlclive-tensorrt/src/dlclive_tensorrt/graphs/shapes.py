"""The shapes and types of a graph's tensors."""

from __future__ import annotations

import onnx

from dlclive_core import UsageError


def fix_inputs(model: onnx.ModelProto, batch: int, height_width: tuple[int, int]) -> None:
    """Fix the input shapes of a graph: `image` becomes (batch, height, width, 3); of other inputs, the batch is fixed.

    Raises:
        UsageError: a dimension is already fixed to another number.
    """
    for item in model.graph.input:
        dims = item.type.tensor_type.shape.dim
        shape = (batch, *height_width, 3) if item.name == "image" else (batch,)
        current = "x".join(str(dim.dim_value or dim.dim_param) for dim in dims)
        for dim, length in zip(dims, shape, strict=False):
            if dim.HasField("dim_value") and dim.dim_value != length:
                raise UsageError(
                    f"the graph's input {item.name} is fixed to {current} and cannot be {'x'.join(map(str, shape))}: "
                    "export the ONNX file again without --size, or with this size"
                )
            dim.dim_value = length
    for item in model.graph.output:  # inferred again from the inputs
        for dim in item.type.tensor_type.shape.dim:
            if not dim.HasField("dim_value"):
                dim.Clear()


def infer(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with all shapes and types that can be inferred."""
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model, data_prop=True)


def known_shapes(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    """The fully known shapes, by name."""
    shapes: dict[str, tuple[int, ...]] = {item.name: tuple(item.dims) for item in graph.initializer}
    for item in (*graph.input, *graph.value_info, *graph.output):
        shape = item.type.tensor_type.shape
        if item.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in shape.dim):
            shapes[item.name] = tuple(dim.dim_value for dim in shape.dim)
    return shapes


def known_types(graph: onnx.GraphProto) -> dict[str, int]:
    """The element types (`onnx.TensorProto.FLOAT`, ...), by name."""
    types = {item.name: item.data_type for item in graph.initializer}
    for item in (*graph.input, *graph.value_info, *graph.output):
        types[item.name] = item.type.tensor_type.elem_type
    return types
