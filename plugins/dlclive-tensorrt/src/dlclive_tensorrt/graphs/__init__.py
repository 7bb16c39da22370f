"""Adapts dlclive's ONNX graph, which fits any size and runtime, to TensorRT and one size.

Nothing is approximated: values that depend only on the size are computed here, in the types of the original; the rest computes
the same as before. There are two exceptions: double precision, which TensorRT does not support, becomes single, and on request
the network is converted to half precision.
"""

from __future__ import annotations

import onnx

from dlclive_core import UsageError
from dlclive_tensorrt.graphs.division import divide_integers
from dlclive_tensorrt.graphs.folding import fold_constants
from dlclive_tensorrt.graphs.gathers import drop_idle_gathers
from dlclive_tensorrt.graphs.half import halve_network
from dlclive_tensorrt.graphs.norms import merge_group_norms
from dlclive_tensorrt.graphs.shapes import fix_inputs
from dlclive_tensorrt.graphs.types import cast_image_first, doubles_to_floats, floats_where_needed

__all__ = ["prepare"]


def prepare(
    model: onnx.ModelProto, batch: int, height_width: tuple[int, int], *, group_norms: bool = False, fp16: bool = False
) -> onnx.ModelProto:
    """A copy for one batch size and one (height, width).

    Args:
        model: dlclive's export.
        batch, height_width: the batch size and the image size.
        group_norms: write each group normalisation as one operator instead of an instance normalisation with four others
            around it.
        fp16: convert the network to half precision; normalisation and decoding stay in float32.

    Raises:
        UsageError: the graph is fixed to another size, `group_norms` is set but the graph has none, or the network cannot be
            converted to half precision.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    fix_inputs(changed, batch, height_width)
    cast_image_first(changed)
    changed = fold_constants(changed)
    drop_idle_gathers(changed)
    if group_norms and not merge_group_norms(changed):
        raise UsageError("group_norms is set, but the network has no group normalisation")
    divide_integers(changed)
    floats_where_needed(changed)
    doubles_to_floats(changed)
    return halve_network(changed) if fp16 else changed
