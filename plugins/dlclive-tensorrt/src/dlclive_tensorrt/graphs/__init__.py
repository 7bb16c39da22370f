"""Making of dlclive's ONNX graph, which is for any size and any runtime, one that TensorRT takes, for one size.

Nothing is approximated: numbers that depend on the size alone are computed here, in the types of the original; the rest
computes what it did before. Only double precision, which TensorRT does not have, becomes single.
"""

from __future__ import annotations

import onnx

from dlclive_tensorrt.graphs.division import divide_integers
from dlclive_tensorrt.graphs.folding import fold_constants
from dlclive_tensorrt.graphs.gathers import drop_idle_gathers
from dlclive_tensorrt.graphs.shapes import fix_inputs
from dlclive_tensorrt.graphs.types import cast_image_first, doubles_to_floats, floats_where_needed

__all__ = ["prepare"]


def prepare(model: onnx.ModelProto, batch: int, size: tuple[int, int]) -> onnx.ModelProto:
    """A copy for one batch and one (height, width).

    Raises:
        UsageError: the graph is fixed to another size.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    fix_inputs(changed, batch, size)
    cast_image_first(changed)
    changed = fold_constants(changed)
    drop_idle_gathers(changed)
    divide_integers(changed)
    floats_where_needed(changed)
    doubles_to_floats(changed)
    return changed
