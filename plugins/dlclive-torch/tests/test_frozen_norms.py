"""Group normalisations frozen on a clip: exact for the measured image, approximate for others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from dlclive_torch.export import OnnxExporter
from dlclive_torch.freezing import freeze_group_norms
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.onnx_file import write_onnx
from numpy.typing import NDArray
from torch import Tensor, nn

from dlclive_core import ModelCard, Skeleton, UsageError


class Grouped(nn.Module):
    """Convolutions with group normalisations, one of them without weights, and a group normalisation without convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(4, 8, eps=1e-3)
        self.act = nn.ReLU()
        self.conv2 = nn.Conv2d(8, 6, 1)
        self.norm2 = nn.GroupNorm(2, 6, affine=False)
        self.pool = nn.AvgPool2d(2)
        self.norm3 = nn.GroupNorm(3, 6)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        maps = self.norm3(self.pool(self.norm2(self.conv2(self.act(self.norm1(self.conv1(images)))))))
        return {"keypoints": maps.amax(dim=(2, 3)).reshape(-1, 1, 2, 3)}


@pytest.fixture
def graph() -> KeypointGraph:
    torch.manual_seed(5)
    network = Grouped()
    for norm in (network.norm1, network.norm3):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return KeypointGraph(network, normalisation="imagenet").eval()


def predictions(graph: KeypointGraph, images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    with torch.inference_mode():
        return np.stack([graph(torch.from_numpy(image[None]))["keypoints"][0].numpy() for image in images])


def test_the_output_for_the_measured_image_does_not_change(
    graph: KeypointGraph, noise: Callable[..., NDArray[np.uint8]]
) -> None:
    image = noise(24, 30)
    expected = predictions(graph, [image])
    assert freeze_group_norms(graph, [image]) == 3
    assert not any(isinstance(part, nn.GroupNorm) for part in graph.modules())
    np.testing.assert_allclose(predictions(graph, [image]), expected, atol=1e-5)


def test_statistics_of_similar_images_give_small_errors(
    graph: KeypointGraph, noise: Callable[..., NDArray[np.uint8]]
) -> None:
    """Statistics of dark images give large errors for bright images."""
    bright = [noise(24, 30, seed) // 2 + 128 for seed in range(6)]
    dark = [noise(24, 30, seed) // 4 for seed in range(6)]
    expected = predictions(graph, bright[4:])
    errors = {}
    for name, clip in (("bright", bright[:4]), ("dark", dark)):
        frozen = graph.in_dtype(torch.float32)
        freeze_group_norms(frozen, clip)
        errors[name] = np.abs(predictions(frozen, bright[4:]) - expected).max()
    assert 0 < errors["bright"] < errors["dark"] / 3


def test_an_exported_file_has_no_norms(
    graph: KeypointGraph, noise: Callable[..., NDArray[np.uint8]], tmp_path: Path
) -> None:
    freeze_group_norms(graph, [noise(24, 30)])
    card = ModelCard(net_type="grouped", skeleton=Skeleton(("a", "b")))
    write_onnx(graph, card, tmp_path / "a.onnx", size=(30, 24))
    kinds = {node.op_type for node in onnx.load(tmp_path / "a.onnx").graph.node}
    assert not kinds & {"InstanceNormalization", "GroupNormalization", "ReduceMean"}
    assert "Conv" in kinds


def test_a_network_without_group_norms_and_a_clip_without_frames_are_usage_errors(
    small_export: Path, noise: Callable[..., NDArray[np.uint8]], tmp_path: Path
) -> None:
    assert not OnnxExporter().calibrates
    exporter = OnnxExporter(frozen_norms=True)
    assert exporter.calibrates
    with pytest.raises(UsageError, match="cspnext_s has no group normalisation"):
        exporter.export(small_export, tmp_path / "a.onnx", frames=[noise(64, 64)])
    with pytest.raises(UsageError, match="--frames CLIP"):
        exporter.export(small_export, tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []
