"""Operations counted in a graph, and the session's own call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from dlclive_onnx.operations import count_operations, node_operations
from dlclive_onnx.runtime import OnnxNetwork

CHAIN = """
<ir_version: 10, opset_import: ["": 21]>
chain (float[n,4,h,w] image) => (float[n,1] answer)
<float[6,2,3,3] a = {zeros}, float[6,5,2,2] b = {zeros}, float[5,7] c = {zeros}, float[1,7] d = {zeros}>
{{
    small = Conv<strides = [2, 2], pads = [1, 1, 1, 1], group = 2>(image, a)
    large = ConvTranspose<strides = [2, 2]>(small, b)
    means = GlobalAveragePool(large)
    flat = Flatten(means)
    seven = MatMul(flat, c)
    answer = Gemm<transB = 1>(seven, d)
}}
"""


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """A convolution in two groups, one back, and two products, for images of any size."""
    model = onnx.parser.parse_model(CHAIN.replace("{zeros}", "{{0.0}}").replace("{{", "{").replace("}}", "}"))
    for tensor in model.graph.initializer:
        zeros = onnx.numpy_helper.from_array(np.zeros(tuple(tensor.dims), np.float32), tensor.name)
        tensor.CopyFrom(zeros)
    onnx.save(model, tmp_path / "chain.onnx")
    return tmp_path / "chain.onnx"


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 8, 12), (2, 16, 8)])
def test_a_multiplication_and_an_addition_are_two(chain: Path, batch: int, height: int, width: int) -> None:
    image = np.zeros((batch, 4, height, width), np.float32)
    cells = batch * (height // 2) * (width // 2)
    convolution = 2 * cells * 6 * (2 * 3 * 3)  # each of 6 channels from the 2 of its group
    back = 2 * cells * 6 * 5 * (2 * 2)
    products = 2 * batch * (5 * 7 + 7)
    assert count_operations(chain, {"image": image}) == convolution + back + products


def test_a_transposed_product() -> None:
    assert node_operations("Gemm", (7, 3), (7, 4), (3, 4), transposed=True) == 2 * 3 * 4 * 7
    assert node_operations("MatMul", (2, 3, 7), (7, 4), (2, 3, 4)) == 2 * 2 * 3 * 4 * 7


def test_a_network_counts_its_own(whole) -> None:
    image = np.zeros((1, 8, 8, 3), np.uint8)
    with OnnxNetwork(whole()) as network:
        assert network.operations(image) == 0  # neither convolutions nor products in this one
    assert np.isnan(network.operations(image))


def test_the_bare_call_gives_what_run_gives(whole, bare) -> None:
    image = np.random.default_rng(0).integers(0, 255, (1, 8, 8, 3), np.uint8)
    for path in (whole(), bare()):
        with OnnxNetwork(path, device="cpu") as network:
            raw = network.raw_call(image)()
            arrays = list(raw.values()) if isinstance(raw, dict) else raw
            expected = network.run(image)
            assert len(arrays) == len(expected)
            for array, name in zip(arrays, expected, strict=True):
                np.testing.assert_array_equal(array, expected[name])
