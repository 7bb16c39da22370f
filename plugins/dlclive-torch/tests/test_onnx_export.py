"""The exporter: its contract, dynamic and fixed sizes, precisions, and the file's content."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from dlclive_torch.decoding import decode_heatmap
from dlclive_torch.export import OnnxExporter
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.load import load_deeplabcut
from dlclive_torch.onnx_file import write_onnx
from torch import Tensor, nn

from dlclive_core import (
    DataError,
    Exporter,
    ModelCard,
    ModelError,
    Network,
    PoseModel,
    Skeleton,
    UsageError,
    load_model,
)
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.runtimes import HeatmapDecoding
from dlclive_core.testing import ExporterContract

SIZES = [(96, 128), (217, 333), (33, 65), (480, 640)]


class TestOnnxExporter(ExporterContract):
    @pytest.fixture
    def exporter(self) -> Exporter:
        return OnnxExporter()

    @pytest.fixture
    def source(self, small_export: Path) -> Path:
        return small_export

    @pytest.fixture
    def target_name(self) -> str:
        return "small.onnx"

    @pytest.fixture(autouse=True)
    def _runs_onnx(self, onnx_file: Callable[[Path], Network]) -> None:
        self.onnx_file = onnx_file

    def load(self, path: Path) -> PoseModel:
        return (
            BottomUpModel(self.onnx_file(path)) if path.suffix == ".onnx" else load_model(path, "torch", device="cpu")
        )


@pytest.fixture(scope="module")
def exported(small_export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "small.onnx"
    OnnxExporter().export(small_export, path)
    return path


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_any_size_and_any_batch(
    small_export: Path, exported: Path, onnx_file: Any, noise: Callable[..., np.ndarray], height: int, width: int
) -> None:
    images = np.stack([noise(height, width, seed) for seed in range(3)])
    expected = [pose.keypoints for pose in load_model(small_export, "torch", device="cpu").predict_batch(list(images))]
    runtime = onnx_file(exported)
    np.testing.assert_allclose(runtime.run(images)["keypoints"], expected, atol=0.01)
    np.testing.assert_allclose(runtime.run(images[:1])["keypoints"], expected[:1], atol=0.01)


def test_half_precision_and_a_fixed_size_keep_the_batch_dynamic(
    small_export: Path, tmp_path: Path, onnx_file: Any, noise: Callable[..., np.ndarray]
) -> None:
    card = OnnxExporter().export(small_export, tmp_path / "half.onnx", precision="fp16", size=(128, 96))
    assert (card.precision, card.input_size) == ("fp16", (96, 128))
    model = onnx.load(tmp_path / "half.onnx")
    kinds = {item.data_type for item in model.graph.initializer if len(item.dims) == 4 and np.prod(item.dims) > 3}
    assert kinds == {onnx.TensorProto.FLOAT16}
    runtime = onnx_file(tmp_path / "half.onnx")
    assert runtime.session.get_inputs()[0].shape == ["batch", 96, 128, 3]
    images = np.stack([noise(96, 128, seed) for seed in range(2)])
    expected = [pose.keypoints for pose in load_model(small_export, "torch", device="cpu").predict_batch(list(images))]
    keypoints = runtime.run(images)["keypoints"]
    assert keypoints.dtype == np.float32
    assert 0 < np.abs(keypoints - expected).max() < 0.5


class CornerAndMean(nn.Module):
    """A network that returns the last pixel and the mean of its input, which reveal the padding."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"keypoints": torch.stack([images[:, :, -1, -1], images.mean((2, 3))], dim=1).unsqueeze(1)}


def test_the_file_includes_padding(tmp_path: Path, onnx_file: Any, noise: Callable[..., np.ndarray]) -> None:
    """Includes padding that is longer than the picture."""
    graph = KeypointGraph(CornerAndMean(), normalisation="none", pad_divisor=(32, 64)).eval()
    card = ModelCard(net_type="corner", skeleton=Skeleton(("corner", "mean")), pad_divisor=(32, 64))
    write_onnx(graph, card, tmp_path / "a.onnx")
    exported = onnx_file(tmp_path / "a.onnx")
    for height, width in [(33, 65), (64, 64), (100, 40), (13, 7), (1, 1), (2, 500)]:
        image = noise(height, width)
        bottom, right = -height % 32, -width % 64
        padded = np.pad(image, ((0, bottom), (0, right), (0, 0)), mode="reflect")
        expected = [padded[-1, -1], padded.mean((0, 1))]
        np.testing.assert_allclose(exported.run(image[None])["keypoints"][0, 0], expected, rtol=1e-4)


class Brightest(nn.Module):
    """A network without trainable weights, whose heatmap is the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.full((1, 1, 1, 1), 1.0 / 255))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        decoding = HeatmapDecoding(stride=1, locref_std=1.0)
        heatmap = images[:, :1] * self.gain
        return {"keypoints": decode_heatmap(heatmap, (images[:, 1:3] * self.gain).to(heatmap.dtype), decoding)}


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_custom_network_is_exact_far_from_the_origin(tmp_path: Path, onnx_file: Any, precision: str) -> None:
    """Above 2048, half precision has only even numbers; above 4096, only multiples of four."""
    card = ModelCard(net_type="brightest", skeleton=Skeleton(("spot",)), normalisation="none")
    graph = KeypointGraph(Brightest(), normalisation="none").eval()
    written = write_onnx(graph, card, tmp_path / "a.onnx", precision=precision)
    runtime = onnx_file(tmp_path / "a.onnx")
    assert runtime.card == written
    for row, column in [(4, 5003), (0, 0), (6, 5119), (3, 2049), (5, 0)]:
        image = np.zeros((7, 5120, 3), np.uint8)
        image[row, column] = (255, 0, 255)
        keypoints = runtime.run(image[None])["keypoints"][0, 0, 0]
        np.testing.assert_allclose(keypoints, [column + 0.5, row + 0.5 + 1, 1], atol=0.002)
        tall = runtime.run(np.ascontiguousarray(image.transpose(1, 0, 2))[None])["keypoints"][0, 0, 0]
        np.testing.assert_allclose(tall, [row + 0.5, column + 0.5 + 1, 1], atol=0.002)


def test_the_first_of_equal_cells_wins_in_the_file(tmp_path: Path, onnx_file: Any) -> None:
    graph = KeypointGraph(Brightest(), normalisation="none").eval()
    card = ModelCard(net_type="brightest", skeleton=Skeleton(("spot",)))
    write_onnx(graph, card, tmp_path / "a.onnx")
    image = np.zeros((20, 30, 3), np.uint8)
    image[[4, 4, 12], [21, 9, 2], 0] = 200
    assert onnx_file(tmp_path / "a.onnx").run(image[None])["keypoints"][0, 0, 0, :2].tolist() == [9.5, 4.5]


def test_the_file_contains_its_card_and_no_paths_of_this_computer(exported: Path, small_export: Path) -> None:
    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    properties = {item.key: item.value for item in model.metadata_props}
    card = ModelCard.from_json(properties["dlclive.card"])
    loaded = load_deeplabcut(small_export)
    assert card == loaded.card.with_(format="onnx")
    assert not any(node.metadata_props for node in model.graph.node)
    data = exported.read_bytes()
    for trace in (b"site-packages", b"dlclive_torch/", str(exported.parent).encode()):
        assert trace not in data


def test_batch_norms_are_folded(exported: Path) -> None:
    kinds = {node.op_type for node in onnx.load(exported).graph.node}
    assert "BatchNormalization" not in kinds
    assert "Conv" in kinds


def test_exporting_is_silent_and_reproducible(
    exported: Path,
    small_export: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        OnnxExporter().export(small_export, tmp_path / "again.onnx")
    assert capfd.readouterr() == ("", "")
    assert caplog.messages == []
    assert (tmp_path / "again.onnx").read_bytes() == exported.read_bytes()


def test_wrong_options_are_usage_errors(small_export: Path, tmp_path: Path) -> None:
    for precision in ("int8", "auto", ""):
        with pytest.raises(UsageError, match="choose from fp32, fp16"):
            OnnxExporter().export(small_export, tmp_path / "a.onnx", precision=precision)
    with pytest.raises(UsageError, match="size"):
        OnnxExporter().export(small_export, tmp_path / "a.onnx", size=(0, 5))
    with pytest.raises(UsageError, match="KeypointGraph"):
        write_onnx(Brightest(), load_deeplabcut(small_export).card, tmp_path / "a.onnx", precision="fp16")
    with pytest.raises(DataError, match="cannot write"):
        OnnxExporter().export(small_export, tmp_path / "no such folder" / "a.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_unsupported_operation_is_a_model_error(tmp_path: Path) -> None:
    class Odd(nn.Module):
        def forward(self, images: Tensor) -> dict[str, Tensor]:
            return {"keypoints": torch.linalg.eigvals(images[:, :, :2, :2]).real.view(-1, 1, 2, 3)}

    graph = KeypointGraph(Odd(), normalisation="none").eval()
    with pytest.raises(ModelError, match="cannot write this network as ONNX") as error:
        write_onnx(graph, ModelCard(net_type="odd", skeleton=Skeleton(("a", "b"))), tmp_path / "a.onnx")
    assert "\n" not in str(error.value)
