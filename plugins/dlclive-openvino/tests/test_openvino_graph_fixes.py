"""Graphs that OpenVINO computes otherwise than they say."""

from __future__ import annotations

import numpy as np
import pytest
from dlclive_openvino.graph_fixes import fix_graph
from dlclive_openvino.library import ov

_OPS = ov.opset13


def run(model: ov.Model, *arrays: np.ndarray) -> np.ndarray:
    """Compiled for the shapes that are given."""
    fix_graph(model)
    model.reshape(dict(enumerate(array.shape for array in arrays)))
    hints = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return ov.Core().compile_model(model, "CPU", hints)(dict(enumerate(arrays)))[0]


@pytest.mark.parametrize("kind", [np.int64, np.float32])
def test_an_absolute_value_that_is_constant_once_the_size_is_fixed(kind: type) -> None:
    """The width of an image, minus ten: |0 - 9|, |1 - 9|, ... as for a mirror."""
    image = _OPS.parameter([-1, -1], np.float32)
    width = _OPS.gather(_OPS.shape_of(image), _OPS.constant(1), _OPS.constant(0))
    cells = _OPS.range(_OPS.constant(np.int64(0)), width, _OPS.constant(np.int64(1)), "i64")
    places = _OPS.convert(_OPS.subtract(cells, _OPS.subtract(width, _OPS.constant(np.int64(1)))), kind)
    mirrored = _OPS.subtract(_OPS.constant(kind(9)), _OPS.absolute(places))
    picked = _OPS.gather(image, _OPS.convert(mirrored, np.int64), _OPS.constant(1))
    pixels = np.arange(20, dtype=np.float32).reshape(2, 10)
    np.testing.assert_array_equal(run(ov.Model([picked.output(0)], [image]), pixels), pixels)


@pytest.mark.parametrize("cut", ["floor", "convert"])
def test_a_sum_that_is_cut_to_a_whole_number_is_rounded_as_it_is_written(cut: str) -> None:
    """start + n / 9 * way, as the points of a limb: a product that is not rounded before it is added gives other cells."""
    starts, ways = np.meshgrid(np.arange(60, dtype=np.float32), np.arange(-59, 60, dtype=np.float32))
    starts, ways = starts.reshape(1, -1, 1), ways.reshape(1, -1, 1)
    shares = np.linspace(0, 1, 10, dtype=np.float32).reshape(1, 1, -1)
    start, way = (_OPS.parameter([-1, -1, 1], np.float32) for _ in range(2))
    point = _OPS.add(start, _OPS.multiply(_OPS.constant(shares), way))
    cells = _OPS.floor(point) if cut == "floor" else _OPS.convert(point, np.int64)
    model = ov.Model([_OPS.convert(cells, np.float32).output(0)], [start, way])
    wanted = starts + shares * ways
    wanted = np.floor(wanted) if cut == "floor" else np.trunc(wanted)
    np.testing.assert_array_equal(run(model, starts, ways), wanted)
