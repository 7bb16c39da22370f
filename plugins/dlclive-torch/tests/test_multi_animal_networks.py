"""DLCRNet, its head, and the identity head: layers, decoding, unsupported options, export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_torch.backbones.dlcrnet import build_dlcrnet
from dlclive_torch.heads.dlcrnet import DLCRNetHead, build_dlcrnet_head
from dlclive_torch.heads.identity import IdentityHead, build_identity_head
from dlclive_torch.resizing import resize_antialiased
from torch import Tensor, nn
from torch.nn import functional

from dlclive_core import UnsupportedModelError


def head_options(channels: int = 16) -> dict[str, Any]:
    """DeepLabCut's options of a head for three keypoints and two animals, without the middle edge."""
    parts = {"heatmap_config": 3, "locref_config": 6, "paf_config": 6}
    return {
        "type": "DLCRNetHead",
        "num_stages": 3,
        "predictor": {
            "type": "PartAffinityFieldPredictor",
            "num_animals": 2,
            "graph": [[0, 1], [0, 2], [1, 2]],
            "edges_to_keep": [0, 2],
            "locref_stdev": 7.2801,
            "nms_radius": 5,
            "sigma": 1.0,
            "min_affinity": 0.05,
        },
        **{name: {"channels": [channels, out], "kernel_size": [3], "strides": [2]} for name, out in parts.items()},
    }


def identity_options(channels: int = 16) -> dict[str, Any]:
    return {
        "type": "HeatmapHead",
        "predictor": {"type": "IdentityPredictor", "apply_sigmoid": True},
        "heatmap_config": {"channels": [channels, 2], "kernel_size": [3], "strides": [2]},
    }


def small_head() -> DLCRNetHead:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_dlcrnet_head(head_options(), 16).eval()


@pytest.mark.parametrize(
    ("size", "target"),
    [((9, 13), (5, 7)), ((9, 13), (10, 14)), ((23, 7), (4, 9)), ((1, 1), (1, 1)), ((3, 2), (24, 16))],
)
def test_resizing_matches_torchs_antialiased_interpolation(size: tuple[int, int], target: tuple[int, int]) -> None:
    maps = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    expected = functional.interpolate(maps, target, mode="bilinear", antialias=True)
    torch.testing.assert_close(resize_antialiased(maps, *target), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("stride", [16, 32])
def test_dlcrnet_returns_banks_and_the_last_stage(stride: int) -> None:
    backbone = build_dlcrnet({"output_stride": stride}).eval()
    with torch.inference_mode():
        features = backbone(torch.zeros(1, 3, 96, 128))
    assert features.shape == (1, 2304, 96 // stride, 128 // stride) == (1, backbone.channels, *features.shape[2:])
    assert backbone.stride == stride


@pytest.mark.parametrize("options", [{"model_name": "hf_hub:somebody/resnet50"}, {"output_stride": 8}])
def test_unsupported_dlcrnets_are_rejected(options: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedModelError, match=r"choose from|did you mean|16 or 32"):
        build_dlcrnet(options)


def test_the_head_upsamples_twice_and_reads_its_assembly_rules() -> None:
    head = small_head()
    assert head.stride == 4
    assert head.assembly.edges == ((0, 1), (1, 2))
    assert head.kept.tolist() == [0, 2]
    assert head.assembly.individuals == head.decoding.candidates == 2
    heatmaps, locref, fields = head.maps(torch.zeros(1, 16, 5, 7))
    assert (heatmaps.shape[1], locref.shape[1], fields.shape[1]) == (3, 6, 6)
    assert heatmaps.shape[2:] == locref.shape[2:] == fields.shape[2:] == (21, 29)


def test_heatmaps_add_the_previous_stage_and_fields_do_not() -> None:
    """With zero weights, the output of a stage is its bias; heatmaps accumulate them from the first stage on."""
    head = small_head()
    with torch.no_grad():
        for layer in head.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                layer.weight.zero_()
                assert layer.bias is not None
                layer.bias.zero_()
        for stage in range(3):
            for layers in (head.hm_ref_layers, head.paf_ref_layers):
                bias = layers[stage].bias
                assert isinstance(bias, Tensor)
                bias.fill_(10.0**stage)
        assert head.convt1.bias is not None
        head.convt1.bias.fill_(1000.0)
        for branch, channel in ((head.heatmap_head, 0), (head.paf_head, 3)):  # pass on one heatmap, and one component
            branch.deconv_layers[0].weight[channel, 0] = 1.0  # type: ignore[operator]
        heatmaps, _, fields = head.maps(torch.zeros(1, 16, 5, 7))
    assert heatmaps[0, 0, 1, 1].item() == 111  # at odd rows and columns, one input cell is under the kernel's centre
    assert fields[0, 0, 1, 1].item() == 100


def test_the_head_returns_candidates_and_affinities() -> None:
    with torch.inference_mode():
        outputs = small_head()(torch.randn(2, 16, 5, 7, generator=torch.Generator().manual_seed(1)))
    assert list(outputs) == list(DLCRNetHead.outputs)
    assert outputs["peaks"].shape == (2, 3, 2, 3)
    assert outputs["affinities"].shape == (2, 2, 2, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predictor": {"type": "HeatmapPredictor"}}, "'HeatmapPredictor'"),
        ({"predictor": {**head_options()["predictor"], "add_discarded": True}}, "add_discarded"),
        ({"predictor": {**head_options()["predictor"], "graph": [[0, 1]]}}, "does not match"),
        ({"predictor": {**head_options()["predictor"], "edges_to_keep": [3]}}, "does not match"),
        ({"predictor": {**head_options()["predictor"], "graph": [[0, 1], [0, 2], [1, 3]]}}, "does not match"),
        ({"locref_config": None}, "locref_config"),
    ],
)
def test_unsupported_heads_are_rejected(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        build_dlcrnet_head({**head_options(), **change}, 16)


def identity(maps: Tensor, points: list[list[float]], *, stride: float = 4.0, sigmoid: bool = False) -> Tensor:
    """Return the scores (P, J) of points."""
    head = IdentityHead(nn.Identity(), stride=stride, apply_sigmoid=sigmoid)  # type: ignore[arg-type]
    return head.scores(maps, torch.tensor([[points]]))[0, 0]


def test_identity_is_interpolated_between_cells() -> None:
    """Pixel 5 is at (5 + 1/2) / 4 - 1/2 = 0.875 cells; pixel 1 is before the first cell's centre."""
    maps = torch.tensor([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]).view(1, 1, 2, 3)
    assert identity(maps, [[5.0, 1.0]]).item() == pytest.approx(0.875)
    assert identity(maps, [[5.0, 3.0]]).item() == pytest.approx(0.875 + 3.75)
    assert identity(maps, [[1.0, 1.0], [99.0, 99.0], [-7.0, -7.0]]).flatten().tolist() == [0.0, 12.0, 0.0]


def test_identity_is_read_at_the_nearest_pixel_with_halves_rounded_to_even() -> None:
    maps = torch.arange(6.0).view(1, 1, 1, 6)
    same = identity(maps, [[10.0, 0], [9.5, 0], [10.5, 0], [10.49, 0]]).flatten()
    assert same.tolist() == [same[0].item()] * 4


def test_identity_of_a_missing_point_is_zero_and_logits_become_scores() -> None:
    maps = torch.full((1, 2, 3, 3), 2.0)
    scores = identity(maps, [[float("nan"), float("nan"), 0.0], [3.0, 3.0, 0.9]], sigmoid=True)
    assert scores[0].tolist() == [0, 0]
    assert scores[1].tolist() == pytest.approx([0.880797, 0.880797])


def test_identity_matches_an_upsampled_map() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, 7, 9, generator=generator)
    points = torch.rand(2, 4, 5, 2, generator=generator) * torch.tensor([80.0, 70.0]) - 5
    head = build_identity_head(identity_options(), 16)
    large = functional.interpolate(maps, scale_factor=8, mode="bilinear", antialias=True).sigmoid()
    columns, rows = points[..., 0].round().long().clamp(0, 71), points[..., 1].round().long().clamp(0, 55)
    expected = torch.stack([large[item, :, rows[item], columns[item]].permute(1, 2, 0) for item in range(2)])
    torch.testing.assert_close(head.scores(maps, points), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("change", [{"type": "DEKRHead"}, {"predictor": {"type": "HeatmapPredictor"}}])
def test_unsupported_identity_heads_are_rejected(change: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedModelError, match="choose"):
        build_identity_head({**identity_options(), **change}, 16)


class Small(nn.Module):
    """Features of one convolution, then the rest of a multi-animal network."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 16, 16)
        self.head = build_dlcrnet_head(head_options(), 16)
        self.identity = build_identity_head(identity_options(), 16)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.stem(images)
        # Resized as in a DLCRNet.
        features = resize_antialiased(features, features.shape[2] * 2 - 1, features.shape[3] * 2 - 1)
        outputs = self.head(features)
        return outputs["peaks"], outputs["affinities"], self.identity.scores(self.identity(features), outputs["peaks"])


@pytest.mark.slow
def test_an_exported_network_decodes_any_size_and_batch(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Small().eval()
    dimensions = {0: torch.export.Dim("batch"), 2: torch.export.Dim("height"), 3: torch.export.Dim("width")}
    with torch.inference_mode():
        program = torch.onnx.export(
            network,
            (torch.randn(2, 3, 128, 160),),
            dynamo=True,
            verbose=False,
            input_names=["images"],
            dynamic_shapes=(dimensions,),
            opset_version=18,
        )
    assert program is not None
    path = tmp_path / "small.onnx"
    program.save(path)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level, settings.intra_op_num_threads = 3, 1
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(5)
    for size in ((2, 3, 128, 160), (1, 3, 97, 205), (3, 3, 33, 32)):
        images = torch.randn(size, generator=generator)
        with torch.inference_mode():
            expected = network(images)
        outputs_from_file = session.run(None, {"images": images.numpy()})
        assert np.isfinite(outputs_from_file[0]).any()
        for expected_output, actual in zip(expected, outputs_from_file, strict=True):
            np.testing.assert_allclose(actual, expected_output.numpy(), rtol=0, atol=1e-4)
