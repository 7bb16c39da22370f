"""The preprocessing of a detector in ONNX: the steps of `DetectorGraph.forward`, for an image of any size.

They are written by hand because the new size must be computed in double precision. An exported program uses single
precision, and the size is sometimes one pixel smaller.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import numpy_helper

from dlclive_torch.detectors.graph import DetectorGraph
from dlclive_torch.detectors.resizing import FixedSize, Resizing

_FIXED = """
    front_sides = Constant <value = int64[2] {{ {side}, {side} }}> ()
"""

_SHORTER_SIDE = """
    front_exact = Cast <to = 11> (front_shape)
    front_shortest = ReduceMin <keepdims = 0> (front_exact)
    front_longest = ReduceMax <keepdims = 0> (front_exact)
    front_shorter = Constant <value = double {{ {shorter} }}> ()
    front_longer = Constant <value = double {{ {longer} }}> ()
    front_up = Div (front_shorter, front_shortest)
    front_down = Div (front_longer, front_longest)
    front_scale = Min (front_up, front_down)
    front_scaled = Mul (front_exact, front_scale)
    front_floor = Floor (front_scaled)
    front_sides = Cast <to = 7> (front_floor)
"""

_STEPS = """
prepare (uint8[1, height, width, 3] image) => (float[1, 3, rows, columns] images, float[2] inside, float[2] ratio) {{
    front_shape = Shape <start = 1, end = 3> (image)
    {sides}
    front_first = Transpose <perm = [0, 3, 1, 2]> (image)
    front_pixels = Cast <to = 1> (front_first)
    front_unit = Div (front_pixels, front_white)
    front_centred = Sub (front_unit, front_mean_0)
    front_once = Div (front_centred, front_std_0)
    front_again = Sub (front_once, front_mean_1)
    front_normalised = Div (front_again, front_std_1)
    front_channels = Constant <value = int64[2] {{ 1, 3 }}> ()
    front_sizes = Concat <axis = 0> (front_channels, front_sides)
    front_resized = Resize <mode = "linear", coordinate_transformation_mode = "half_pixel">
        (front_normalised, , , front_sizes)
    front_divisor = Constant <value = int64[2] {{ {divisor}, {divisor} }}> ()
    front_one = Constant <value = int64[2] {{ 1, 1 }}> ()
    front_last = Sub (front_divisor, front_one)
    front_above = Add (front_sides, front_last)
    front_times = Div (front_above, front_divisor)
    front_padded = Mul (front_times, front_divisor)
    front_border = Sub (front_padded, front_sides)
    front_before = Constant <value = int64[6] {{ 0, 0, 0, 0, 0, 0 }}> ()
    front_pads = Concat <axis = 0> (front_before, front_border)
    images = Pad (front_resized, front_pads)
    front_turned = Constant <value = int64[2] {{ 1, 0 }}> ()
    front_inside = Gather (front_sides, front_turned)
    inside = Cast <to = 1> (front_inside)
    front_whole = Gather (front_shape, front_turned)
    front_outside = Cast <to = 1> (front_whole)
    ratio = Div (front_outside, inside)
}}
"""


def preprocessing_graph(graph: DetectorGraph) -> onnx.GraphProto:
    """Return the ONNX graph from `image` (1, H, W, 3) uint8 RGB to the arguments of `DetectorGraph.find`.

    The names of all intermediate values begin with `front_`.
    """
    resizing = graph.detector.resizing
    preprocessing = onnx.parser.parse_graph(_STEPS.format(sides=_sides(resizing), divisor=resizing.divisor))
    constants: dict[str, Sequence[float]] = {"white": [1.0 if graph.normalisation == "none" else 255.0]}
    for name, steps in (("mean", graph.means), ("std", graph.stds)):
        constants |= {f"{name}_{step}": values for step, values in enumerate(steps)}
    for name, values in constants.items():
        array = np.asarray(values, np.float32).reshape(1, -1, 1, 1)
        preprocessing.initializer.append(numpy_helper.from_array(array, f"front_{name}"))
    return preprocessing


def _sides(resizing: Resizing) -> str:
    if isinstance(resizing, FixedSize):
        return _FIXED.format(side=resizing.side)
    return _SHORTER_SIDE.format(shorter=float(resizing.shorter), longer=float(resizing.longer))
