"""Making of dlclive's ONNX graph, which is for any size and any runtime, one that TensorRT takes, for one size.

Nothing is approximated: numbers that depend on the size alone are computed here, in the types of the original; the rest
computes what it did before. Only double precision, which TensorRT does not have, becomes single; and half precision is there if
it was asked for.
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
    """A copy for one batch and one (height, width).

    Args:
        model: as dlclive exports it.
        batch, height_width: of the images.
        group_norms: write group normalisations as one operator each, in place of an instance normalisation with four others
            around it.
        fp16: bring the network to half precision; normalising and decoding stay in float32.

    Raises:
        UsageError: the graph is fixed to another size, has no group normalisation, or cannot be in half precision.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    fix_inputs(changed, batch, height_width)
    cast_image_first(changed)
    changed = fold_constants(changed)
    drop_idle_gathers(changed)
    if group_norms and not merge_group_norms(changed):
        raise UsageError("group_norms was asked for, and the network has no group normalisation")
    divide_integers(changed)
    floats_where_needed(changed)
    doubles_to_floats(changed)
    return halve_network(changed) if fp16 else changed
