"""Graphs that OpenVINO computes wrongly without the fixes."""

from __future__ import annotations

import numpy as np
import pytest
from dlclive_openvino.graph_fixes import fix_graph
from dlclive_openvino.library import ov

_OPS = ov.opset13


def run(model: ov.Model, *arrays: np.ndarray) -> np.ndarray:
    """Fix the graph, compile it for the shapes of the arrays and run it."""
    fix_graph(model)
    model.reshape(dict(enumerate(array.shape for array in arrays)))
    hints = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return ov.Core().compile_model(model, "CPU", hints)(dict(enumerate(arrays)))[0]


@pytest.mark.parametrize("kind", [np.int64, np.float32])
def test_abs_of_a_value_that_becomes_constant_at_a_fixed_size(kind: type) -> None:
    """Mirror padding computes |0 - 9|, |1 - 9|, ... from the width of the image, here ten."""
    image = _OPS.parameter([-1, -1], np.float32)
    width = _OPS.gather(_OPS.shape_of(image), _OPS.constant(1), _OPS.constant(0))
    cells = _OPS.range(_OPS.constant(np.int64(0)), width, _OPS.constant(np.int64(1)), "i64")
    offsets = _OPS.convert(_OPS.subtract(cells, _OPS.subtract(width, _OPS.constant(np.int64(1)))), kind)
    mirrored = _OPS.subtract(_OPS.constant(kind(9)), _OPS.absolute(offsets))
    gathered = _OPS.gather(image, _OPS.convert(mirrored, np.int64), _OPS.constant(1))
    pixels = np.arange(20, dtype=np.float32).reshape(2, 10)
    np.testing.assert_array_equal(run(ov.Model([gathered.output(0)], [image]), pixels), pixels)


@pytest.mark.parametrize("cut", ["floor", "convert"])
def test_a_product_is_rounded_before_the_sum_is_rounded_to_an_integer(cut: str) -> None:
    """start + n / 9 * way, the points along a limb: a fused product and sum would give other cells."""
    starts, ways = np.meshgrid(np.arange(60, dtype=np.float32), np.arange(-59, 60, dtype=np.float32))
    starts, ways = starts.reshape(1, -1, 1), ways.reshape(1, -1, 1)
    shares = np.linspace(0, 1, 10, dtype=np.float32).reshape(1, 1, -1)
    start, way = (_OPS.parameter([-1, -1, 1], np.float32) for _ in range(2))
    point = _OPS.add(start, _OPS.multiply(_OPS.constant(shares), way))
    cells = _OPS.floor(point) if cut == "floor" else _OPS.convert(point, np.int64)
    model = ov.Model([_OPS.convert(cells, np.float32).output(0)], [start, way])
    expected = starts + shares * ways
    expected = np.floor(expected) if cut == "floor" else np.trunc(expected)
    np.testing.assert_array_equal(run(model, starts, ways), expected)
