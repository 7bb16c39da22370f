"""Networks from configurations: unsupported options, pruning and folding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from dlclive_torch.backbones.hrnet import HRNet
from dlclive_torch.backbones.resnet import ResNet
from dlclive_torch.folding import fold_batch_norms
from dlclive_torch.heads.heatmap import build_heatmap_head
from dlclive_torch.network import PoseNetwork, build_network
from torch import nn

from dlclive_core import UnsupportedModelError
from dlclive_core.runtimes import PoseConfig


def build(config: dict[str, Any]) -> PoseNetwork:
    return build_network(PoseConfig.from_mapping(config, where="a test"))


def test_an_unknown_backbone_is_rejected_with_the_supported_ones(config: dict[str, Any]) -> None:
    config["model"]["backbone"]["type"] = "ViTPose"
    with pytest.raises(UnsupportedModelError, match=r"no backbone 'ViTPose'.*CSPNeXt, .*HRNet, .*ResNet"):
        build(config)


def test_an_unknown_head_is_rejected_with_the_supported_ones(config: dict[str, Any]) -> None:
    config["model"]["heads"]["bodypart"]["type"] = "PoseHead"
    with pytest.raises(UnsupportedModelError, match=r"no head 'PoseHead'.*HeatmapHead"):
        build(config)


def test_an_unknown_predictor_neck_or_additional_head_is_rejected(config: dict[str, Any]) -> None:
    head = config["model"]["heads"]["bodypart"]
    config["model"]["heads"]["segmentation"] = head
    with pytest.raises(
        UnsupportedModelError, match=r"'segmentation'; supported: 'bodypart', 'unique_bodypart', 'ident"
    ):
        build(config)
    del config["model"]["heads"]["segmentation"]
    config["model"]["neck"] = {"type": "Mamba"}
    with pytest.raises(UnsupportedModelError, match="no neck 'Mamba'"):
        build(config)
    config["model"]["neck"] = None
    head["predictor"]["type"] = "PartAffinityFieldPredictor"
    with pytest.raises(UnsupportedModelError, match="'PartAffinityFieldPredictor'"):
        build(config)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("ResNet", "hf_hub:somebody/resnet50"), ("HRNet", "local-dir:somewhere/hrnet_w18"), ("ResNet", "resnet50d")],
)
def test_names_in_a_file_are_checked_before_they_reach_timm(config: dict[str, Any], kind: str, name: str) -> None:
    config["model"]["backbone"] = {"type": kind, "model_name": name, "output_stride": 16}
    with pytest.raises(UnsupportedModelError, match=r"choose from|did you mean"):
        build(config)


def test_an_unsupported_output_stride_is_rejected(config: dict[str, Any]) -> None:
    config["model"]["backbone"] = {"type": "ResNet", "model_name": "resnet50", "output_stride": 4}
    with pytest.raises(UnsupportedModelError, match="output stride"):
        build(config)


@pytest.mark.parametrize("strides", [[2, 2], [0], [-2], []])
def test_inconsistent_upsampling_is_rejected(config: dict[str, Any], strides: list[int]) -> None:
    config["model"]["heads"]["bodypart"]["heatmap_config"]["strides"] = strides
    with pytest.raises(UnsupportedModelError, match="heatmap_config"):
        build(config)


def test_two_upsampling_steps_have_an_activation_between_them() -> None:
    """The weights of the reference are deconv_layers.0 and deconv_layers.2."""
    steps = {"channels": [8, 6, 2], "kernel_size": [3, 3], "strides": [2, 2]}
    head = build_heatmap_head({"heatmap_config": steps, "predictor": {"type": "HeatmapPredictor"}}, 32)
    assert {name.rpartition(".")[0] for name in head.state_dict()} == {
        "heatmap_head.deconv_layers.0",
        "heatmap_head.deconv_layers.2",
    }
    assert head.stride == 8


def test_a_head_without_upsampling_has_a_final_convolution() -> None:
    options = {"channels": [8], "kernel_size": [], "strides": [], "final_conv": {"out_channels": 5, "kernel_size": 1}}
    head = build_heatmap_head({"heatmap_config": options, "predictor": {"type": "HeatmapPredictor"}}, 32)
    assert sorted(head.state_dict()) == ["heatmap_head.final_conv.bias", "heatmap_head.final_conv.weight"]
    assert head(torch.zeros(2, 8, 4, 4))["keypoints"].shape == (2, 1, 5, 3)


@pytest.mark.parametrize("make", [lambda: HRNet("hrnet_w18"), lambda: ResNet("resnet101", 16)], ids=["hrnet", "resnet"])
def test_pruning_and_folding_keep_the_function(make: Any) -> None:
    torch.manual_seed(0)
    backbone = make().eval()
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        before = backbone(image)
        backbone.prune()
        fold_batch_norms(backbone)
        after = backbone(image)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in backbone.modules())
    assert before.shape[1] == backbone.channels
    assert (after - before).abs().max() <= 1e-4 * before.abs().max()
