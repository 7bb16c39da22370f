"""The quantiser: which nodes become bytes, that ONNX Runtime computes them as such, and that keypoints stay where they are."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import onnxruntime as ort
import pytest
from dlclive_onnx import runtime
from dlclive_onnx.byte_products import _PRODUCT, products_overflow
from dlclive_onnx.export import OnnxQuantiser
from dlclive_onnx.int8_nodes import choose_nodes, use_global_pooling
from dlclive_onnx.metadata import read_card
from dlclive_onnx.options import CpuOptions
from dlclive_onnx.runtime import DISABLED, OnnxNetwork
from onnx import numpy_helper

from dlclive_core import ModelCard, ModelError, Skeleton, UnsupportedModelError, UsageError, export_model
from dlclive_core.deeplabcut.locate import detector_beside
from dlclive_core.demo import MODEL
from dlclive_core.demo.source import MouseSource
from dlclive_core.models.network import Setting

CARD = ModelCard(net_type="small", skeleton=Skeleton(("a", "b")), scorer="DLC_small", format="onnx")

# Stem, a block with a gate, a depthwise convolution, a residual sum and a head: what a DeepLabCut network is made of.
NETWORK = """
<ir_version: 10, opset_import: ["": 18]>
small (uint8[N,H,W,3] image) => (float[N,2,H,W] maps)
<int64[2] across = {2, 3}, float white = {255.0}>
{
    pixels = Cast<to = 1>(image)
    planes = Transpose<perm = [0, 3, 1, 2]>(pixels)
    scaled = Div(planes, white)
    [stem] stem = Conv<pads = [1, 1, 1, 1]>(scaled, weight_stem)
    [stem_relu] stem_relu = Relu(stem)
    [first] first = Conv<pads = [1, 1, 1, 1]>(stem_relu, weight_first)
    [first_sigmoid] first_sigmoid = Sigmoid(first)
    [first_silu] first_silu = Mul(first, first_sigmoid)
    [mean] mean = ReduceMean<keepdims = 1>(first_silu, across)
    [fc] fc = Conv(mean, weight_fc)
    [gate] gate = Sigmoid(fc)
    [gated] gated = Mul(first_silu, gate)
    [depthwise] depthwise = Conv<group = 8, pads = [1, 1, 1, 1]>(gated, weight_depthwise)
    [depthwise_relu] depthwise_relu = Relu(depthwise)
    [second] second = Conv(depthwise_relu, weight_second)
    [sum] sum = Add(second, gated)
    [deep] deep = Conv(sum, weight_deep)
    [maps] maps = Conv(deep, weight_last)
}
"""
SHAPES = {
    "network.backbone.stem.weight": (8, 3, 3, 3),
    "network.backbone.first.weight": (8, 8, 3, 3),
    "network.backbone.fc.weight": (8, 8, 1, 1),
    "network.backbone.depthwise.weight": (8, 1, 3, 3),
    "network.neck.second.weight": (8, 8, 1, 1),
    "network.heads.bodypart.deep.weight": (8, 8, 1, 1),
    "network.heads.bodypart.last.weight": (2, 8, 1, 1),
}


def network(card: ModelCard | None = CARD) -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    model = onnx.parser.parse_model(NETWORK)
    for name, shape in SHAPES.items():
        weight = rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(weight, name))
        (node,) = (item for item in model.graph.node if f"weight_{name.split('.')[-2]}" in item.input)
        node.input[1] = name  # the parser takes no dots
    if card is not None:
        onnx.helper.set_model_props(model, {"dlclive.card": card.to_json()})
    onnx.checker.check_model(model)
    return model


def noise(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(1).integers(0, 255, (count, 40, 48, 3), np.uint8))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    onnx.save(network(), folder / "small.onnx")
    return folder / "small.onnx"


def test_stretches_between_dense_convolutions_become_bytes() -> None:
    model = network()
    use_global_pooling(model)
    assert {node.name: node.op_type for node in model.graph.node}["mean"] == "GlobalAveragePool"
    # of the gate only what meets the stretch; not the stem, the depthwise convolution, nor the head
    assert choose_nodes(model.graph) == ["first", "first_sigmoid", "first_silu", "mean", "gated", "second", "sum"]


def test_what_has_no_mean_to_write_otherwise_stays_as_it_is() -> None:
    model = network()
    del next(node for node in model.graph.node if node.name == "mean").input[1:]  # over everything
    before = model.SerializeToString()
    use_global_pooling(model)
    assert "GlobalAveragePool" not in {node.op_type for node in model.graph.node}
    assert len(before) >= len(model.SerializeToString())  # the axes that nobody uses are gone


def test_the_rest_of_the_file_is_float_and_the_card_says_int8(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "small.int8.onnx"
    target.parent.mkdir()
    card = OnnxQuantiser().export(source, target, precision="int8", frames=noise(8))
    assert card == read_card(target) == CARD.with_(precision="int8")
    assert OnnxNetwork.settings(target)[0] == Setting("cpu", "int8")
    assert [item.name for item in target.parent.iterdir()] == [target.name]
    assert [item.name for item in source.parent.iterdir()] == [source.name]
    model = onnx.load(target)
    floats = {item.name for item in model.graph.initializer if item.data_type == onnx.TensorProto.FLOAT}
    for name in SHAPES:
        assert (name in floats) == (name.split(".")[2] not in ("first", "second")), name


def test_the_answer_is_nearly_the_same(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "small.int8.onnx"
    OnnxQuantiser().export(source, target, precision="int8", frames=noise(8))
    image = noise(9)[8][None]
    expected, quantised = (
        ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"image": image})[0]
        for path in (source, target)
    )
    error = np.abs(quantised - expected).max() / np.abs(expected).max()
    assert 0 < error < 0.03


def test_onnx_runtime_computes_them_in_bytes(source: Path, tmp_path: Path) -> None:
    """With signed activations it would not, on x86: it would go back to float around each convolution."""
    target, optimised = tmp_path / "small.int8.onnx", tmp_path / "seen.onnx"
    OnnxQuantiser().export(source, target, precision="int8", frames=noise(4))
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(optimised)
    options.log_severity_level = 3
    ort.InferenceSession(str(target), options, providers=["CPUExecutionProvider"], disabled_optimizers=DISABLED)
    kinds = [node.op_type for node in onnx.load(optimised).graph.node]
    assert kinds.count("QLinearConv") == 2
    assert {"QLinearSigmoid", "QLinearMul", "QLinearAdd", "QLinearGlobalAveragePool"} <= set(kinds)


@pytest.mark.parametrize("overflows", [True, False])
def test_where_products_of_bytes_overflow_they_are_computed_otherwise(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overflows: bool
) -> None:
    target = tmp_path / "small.int8.onnx"
    OnnxQuantiser().export(source, target, precision="int8", frames=noise(2))
    monkeypatch.setattr(runtime, "products_overflow", lambda: overflows)

    def is_precise(file: Path) -> bool:
        session = runtime.open_session(file, ["CPUExecutionProvider"], CpuOptions())
        try:
            return session.get_session_options().get_session_config_entry("session.x64quantprecision") == "1"
        except RuntimeError:  # it was not set
            return False

    assert is_precise(target) == overflows
    assert not is_precise(source)


def test_the_product_that_tells_is_computed() -> None:
    assert products_overflow() in (True, False)
    (product,) = ort.InferenceSession(_PRODUCT).run(
        None, {"a": np.full((4, 8), 2, np.uint8), "b": np.full((8, 16), -3, np.int8)}
    )
    np.testing.assert_array_equal(product, np.full((4, 16), 8 * 2 * -3))


def test_it_is_quiet(source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog) -> None:
    with caplog.at_level(logging.WARNING):
        OnnxQuantiser().export(source, tmp_path / "a.onnx", precision="int8", frames=noise(2))
    assert capfd.readouterr() == ("", "")
    assert caplog.messages == []


def test_a_size_is_fixed(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "fixed.onnx"
    card = OnnxQuantiser().export(source, target, precision="int8", size=(48, 40), frames=noise(2))
    assert card.input_size == (40, 48)
    assert ort.InferenceSession(str(target)).get_inputs()[0].shape == ["N", 40, 48, 3]
    onnx.save(network(CARD.with_(input_size=(40, 48))), source)
    with pytest.raises(UsageError, match=r"is fixed to 48x40 \(WIDTHxHEIGHT\) and cannot be 40x48"):
        OnnxQuantiser().export(source, target, precision="int8", size=(40, 48), frames=noise(2))
    assert OnnxQuantiser().export(source, target, size=(48, 40), frames=noise(2)).input_size == (40, 48)


def test_the_detector_comes_along_in_float(source: Path, tmp_path: Path) -> None:
    onnx.save(network(CARD.with_(detector_sha256="ab")), source)
    detector_beside(source).write_bytes(b"a detector")
    OnnxQuantiser().export(source, tmp_path / "a.onnx", precision="int8", frames=noise(2))
    assert detector_beside(tmp_path / "a.onnx").read_bytes() == b"a detector"


@pytest.mark.parametrize(
    ("card", "options", "error", "message"),
    [
        (CARD, {"frames": []}, UsageError, "int8 needs frames of the animal for calibration: pass a clip"),
        (CARD, {"precision": "fp16"}, UsageError, "no precision 'fp16' from ONNX to ONNX: choose int8"),
        (None, {}, ModelError, "was not exported by dlclive: export the model from its .pt file first"),
        (CARD.with_(precision="fp16"), {}, ModelError, "is in fp16, but int8 is made from fp32"),
    ],
)
def test_what_cannot_be_quantised(source: Path, tmp_path: Path, card, options: dict, error: type, message: str) -> None:
    onnx.save(network(card), source)
    with pytest.raises(error, match=message):
        OnnxQuantiser().export(source, tmp_path / "a.onnx", **{"precision": "int8", "frames": noise(2), **options})
    assert not (tmp_path / "a.onnx").exists()


def test_a_network_without_dense_convolutions_has_nothing_to_gain(whole, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="has no convolution that can run in int8"):
        OnnxQuantiser().export(whole(), tmp_path / "a.onnx", precision="int8", frames=noise(2))


def test_a_network_in_bytes_finds_the_mouse_where_the_one_in_float_finds_it(tmp_path: Path) -> None:
    """Calibrated on one clip of it and judged on other frames, by `export_model` itself: 0.5 px at the 95th percentile."""
    with MouseSource(seed=3, frames=60, size=(320, 240)) as clip:
        clip.open()
        frames = [clip.read(1.0).image for _ in range(60)]
    export = export_model(MODEL, tmp_path / "mouse.int8.onnx", precision="int8", frames=frames)
    assert export.card.precision == "int8"
    assert 0.01 < export.error_px <= 0.5
    assert export.parity.confident > 30
    with pytest.raises(UsageError, match="got 0 frames"):
        export_model(MODEL, tmp_path / "other.onnx", precision="int8")
