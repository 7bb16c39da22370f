"""int8: the part of a network that is quantised, and what the export needs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dlclive_openvino.export import OpenVinoExporter
from dlclive_openvino.files import read_network
from dlclive_openvino.int8_trunk import in_float, trunk
from dlclive_openvino.library import ov

from dlclive_core import DependencyError, ModelError, Setting, UsageError, export_model, load_model

from dlclive_openvino.runtime import OpenVinoNetwork  # isort: skip

Pictures = Callable[..., list[np.ndarray]]
_OPS = ov.opset13


def conv(source: ov.Output, outputs: int, name: str, kernel: int = 1, stride: int = 1) -> ov.Output:
    """A convolution with weights."""
    weights = np.zeros((outputs, source.get_partial_shape()[1].get_length(), kernel, kernel), np.float32)
    edge, strides = [kernel // 2] * 2, [stride] * 2
    return _OPS.convolution(source, _OPS.constant(weights), strides, edge, edge, [1, 1], name=name).output(0)


def two_heads() -> ov.Model:
    """Two stem layers, two trunk layers, a neck used by only one head, two heads, and a product of activations."""
    image = _OPS.parameter([-1, 3, -1, -1], np.float32, name="image")
    normalised = _OPS.multiply(image, _OPS.constant(np.float32(0.1)), name="normalise").output(0)
    stem = _OPS.relu(conv(normalised, 8, "stem", 3, 2)).output(0)
    half = conv(stem, 8, "half", 3, 2)
    second = _OPS.relu(conv(half, 8, "second", 3), name="activation").output(0)
    last = conv(second, 8, "last", 3)
    neck = conv(last, 8, "neck")
    heat, offset = conv(neck, 2, "heat"), conv(last, 2, "offset")
    product = _OPS.matmul(heat, offset, transpose_a=False, transpose_b=True, name="decoding")
    return ov.Model([product.output(0)], [image])


def test_the_trunk_is_what_all_heads_depend_on() -> None:
    """The trunk excludes layers that see the image at half its size or more. A product of two activations is not a head."""
    model = two_heads()
    assert trunk(model) == ["second", "last"]
    floats = in_float(model)
    assert set(floats) >= {"normalise", "stem", "half", "activation", "neck", "heat", "offset", "decoding"}
    assert not set(floats) & set(trunk(model))


def test_pooling_counts_towards_the_stride() -> None:
    image = _OPS.parameter([1, 3, 64, 64], np.float32, name="image")
    stem = conv(image.output(0), 4, "stem", 3, 2)
    pooled = _OPS.max_pool(stem, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2], "floor", "explicit", "i64", 0).output(0)
    model = ov.Model([conv(conv(pooled, 4, "only"), 2, "head")], [image])
    assert trunk(model) == ["only"]


def test_a_matrix_product_can_be_a_head() -> None:
    """For example, a classifier of coordinates."""
    image = _OPS.parameter([1, 3, 32, 32], np.float32, name="image")
    features = _OPS.reshape(conv(conv(image.output(0), 4, "stem", 4, 4), 4, "only"), _OPS.constant([1, 4, -1]), False)
    matrix = _OPS.convert(_OPS.constant(np.zeros((81, 5), np.float16)), np.float32)
    model = ov.Model([_OPS.matmul(features, matrix, False, False, name="classes").output(0)], [image])
    assert trunk(model) == ["only"]
    assert "classes" in in_float(model)


def test_only_the_trunk_is_in_int8(mouse: Path, tmp_path: Path, pictures: Pictures) -> None:
    pytest.importorskip("nncf", reason="int8 needs NNCF")
    source, _ = read_network(mouse)
    inner = trunk(source)
    assert len(inner) > 20
    card = OpenVinoExporter().export(mouse, tmp_path / "a.xml", precision="int8", frames=pictures(4))
    model, written_card = read_network(tmp_path / "a.xml")
    assert card == written_card
    assert card.precision == "int8"
    layers = {
        node.get_friendly_name(): node.input_value(0).get_node().get_type_name() == "FakeQuantize"
        for node in model.get_ordered_ops()
        if node.get_type_name() in ("Convolution", "GroupConvolution")
    }
    assert sum(layers.values()) == len(inner)
    assert {name for name, quantised in layers.items() if quantised} == set(inner)
    with load_model(tmp_path / "a.xml", threads=1) as small, load_model(mouse, "openvino", threads=1) as full:
        apart = [np.abs(small.predict(image).xy - full.predict(image).xy) for image in pictures(6)]
    assert 1e-3 < np.median(apart) < 1
    assert (tmp_path / "a.bin").stat().st_size < 0.6 * mouse.stat().st_size


def test_an_int8_file_runs_only_in_int8(mouse: Path, tmp_path: Path, pictures: Pictures) -> None:
    pytest.importorskip("nncf", reason="int8 needs NNCF")
    OpenVinoExporter().export(mouse, tmp_path / "a.xml", precision="int8", frames=pictures(2))
    assert OpenVinoNetwork.settings(tmp_path / "a.xml") == [Setting("cpu", "int8")]
    with pytest.raises(UsageError, match="cannot be run in fp32"):
        OpenVinoNetwork(tmp_path / "a.xml", precision="fp32")


def test_int8_without_a_usable_clip_is_an_error(mouse: Path, tmp_path: Path, pictures: Pictures) -> None:
    with pytest.raises(UsageError, match="--frames CLIP"):
        OpenVinoExporter().export(mouse, tmp_path / "a.xml", precision="int8")
    with pytest.raises(UsageError, match="--frames CLIP"):
        export_model(mouse, tmp_path / "a.xml", precision="int8")
    grey = [np.full((128, 160, 3), 127, np.uint8)] * 20
    with pytest.raises(UsageError, match="finds no animal in the clip"):
        export_model(mouse, tmp_path / "a.xml", precision="int8", frames=grey)
    assert list(tmp_path.iterdir()) == []


def test_an_export_above_the_error_limit_is_not_written(mouse: Path, tmp_path: Path, pictures: Pictures) -> None:
    pytest.importorskip("nncf", reason="int8 needs NNCF")
    with pytest.raises(ModelError, match="the export in int8 differs from its source by"):
        export_model(mouse, tmp_path / "a.xml", precision="int8", frames=pictures(16), max_error=1e-4)
    assert list(tmp_path.iterdir()) == []


def test_without_nncf_the_error_shows_the_install_command(
    mouse: Path, tmp_path: Path, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dlclive_core.plugins.catalog.missing_requirements", lambda info: [n for n in info.requires if n == "nncf"]
    )
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(DependencyError, match=r"pip install 'dlclive-openvino\[int8\]'"):
        export_model(mouse, tmp_path / "a.xml", precision="int8", frames=pictures(16))
