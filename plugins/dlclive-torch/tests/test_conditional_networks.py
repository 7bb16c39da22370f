"""Conditional networks: attention, layers, supported options, and export."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_torch.backbones.base import Backbone
from dlclive_torch.backbones.coam import HRNetCoAM
from dlclive_torch.backbones.conditional_attention import ConditionalAttention, attend
from dlclive_torch.backbones.prenet import CondPreNet
from dlclive_torch.backbones.table import BACKBONES
from dlclive_torch.folding import fold_batch_norms
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.network import PoseNetwork, build_network
from dlclive_torch.onnx_file import write_onnx
from torch import nn

from dlclive_core import ModelCard, Skeleton, UnsupportedModelError
from dlclive_core.runtimes import PoseConfig

CONDITION = torch.tensor([[[20.0, 30.0, 1.0], [50.5, 40.2, 0.3], [torch.nan, torch.nan, 0.0]]])
GOLDEN = (
    "ctd_coam_w32", "ctd_coam_w48", "ctd_prenet_hrnet_w32", "ctd_prenet_hrnet_w48",
    "ctd_prenet_rtmpose_s", "ctd_prenet_rtmpose_m", "ctd_prenet_rtmpose_x",
)  # fmt: skip
EXPORTED = ("ctd_coam_w32", "ctd_prenet_hrnet_w32", "ctd_prenet_rtmpose_s")
"""One network of each kind: exporting takes most of the time, and sizes differ only in channels."""


def encoder(keypoints: int = 3, **changes: Any) -> dict[str, Any]:
    return {"type": "StackedKeypointEncoder", "num_joints": keypoints, "kernel_size": [15, 15], **changes}


def prenet(**changes: Any) -> CondPreNet:
    inner = {"type": "CSPNeXt", "widen_factor": 0.125, "deepen_factor": 0.33}
    options = {"type": "CondPreNet", "backbone": inner, "kpt_encoder": encoder(), "img_size": [64, 96], **changes}
    return BACKBONES["CondPreNet"](options)  # type: ignore[return-value]


def coam(**changes: Any) -> HRNetCoAM:
    """An HRNetCoAM with few cells: the input is 64 x 96."""
    options = {"type": "HRNetCoAM", "base_model_name": "hrnet_w18", "kpt_encoder": encoder(), "img_size": [64, 96]}
    return BACKBONES["HRNetCoAM"]({**options, **changes})  # type: ignore[return-value]


def ready(network: nn.Module, images: torch.Tensor) -> None:
    """Set the statistics of batch norms to those of these images."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
    network.train()
    with torch.no_grad():
        network(images, CONDITION.expand(len(images), -1, -1))
    network.eval()


def test_attention_weights_values_by_the_softmax_of_scaled_products() -> None:
    queries = torch.tensor([[[0.0, 0.0], [2.0, 0.0]]])
    keys = torch.tensor([[[2.0, 0.0], [0.0, 7.0]]])
    values = torch.tensor([[[1.0, 10.0], [3.0, 30.0]]])
    share = 1 / (1 + np.exp(-4 / np.sqrt(2)))
    attended = attend(queries, keys, values, heads=1)[0]
    assert attended[0].tolist() == pytest.approx([2, 20])  # a zero query weights all keys equally
    assert attended[1].tolist() == pytest.approx([3 - 2 * share, 30 - 20 * share])
    share = 1 / (1 + np.exp(-4))
    assert attend(queries, keys, values, heads=2)[0, 1].tolist() == pytest.approx([3 - 2 * share, 20])


def test_attention_does_not_overflow_half_precision() -> None:
    """The product of these vectors is 600 * 600, which overflows half precision."""
    vectors = torch.full((1, 2, 1), 600.0, dtype=torch.float16)
    assert attend(vectors, vectors, vectors, heads=1).tolist() == vectors.tolist()


def test_attention_is_added_and_channel_attention_alone_is_multiplied() -> None:
    features, picture = torch.rand(1, 2, 2, 3), torch.rand(1, 1, 8, 12)
    for channels_only in (False, True):
        layer = ConditionalAttention(2, 1, (2, 3), heads=1, channels_only=channels_only)
        with torch.no_grad():
            for name, value in layer.named_parameters():
                value.fill_(0.0)
                if name == "channel_attention_module.pa.fc_o.bias":
                    value.copy_(torch.arange(6.0))
            output = layer(features, picture)
        attention = torch.arange(6.0).view(2, 3)
        torch.testing.assert_close(output, features * attention if channels_only else features + attention)


def test_the_condition_is_resized_with_height_and_width_swapped() -> None:
    layer = ConditionalAttention(2, 1, (2, 3), heads=1, channels_only=False)
    conditions = []
    layer.channel_attention_module.cnn_cond.register_forward_hook(lambda _, inputs, __: conditions.append(inputs[0]))
    layer(torch.rand(1, 2, 2, 3), torch.arange(4.0).view(1, 1, 4, 1).expand(1, 1, 4, 6))
    assert conditions[0].shape == (1, 1, 3, 2)
    assert conditions[0][0, 0, 1].tolist() == pytest.approx([1.5, 1.5])  # the values are not transposed


def test_the_prenet_adds_image_and_condition() -> None:
    network = prenet()
    inputs: list[torch.Tensor] = []

    class Probe(Backbone):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            inputs.append(images)
            return images

    network.backbone = Probe()
    ready(network, torch.rand(2, 3, 64, 96))
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        network(images, CONDITION)
        expected = network.rgb_preNet(images) + network.cond_preNet(network.picture(CONDITION, 64, 96))
    torch.testing.assert_close(inputs[-1], expected)


@pytest.mark.parametrize(
    "build",
    [
        prenet,
        lambda: prenet(kpt_encoder=encoder(type="ColoredKeypointEncoder")),
        coam,
        lambda: coam(att_heads=2, coam_modules=[1, 3]),
        lambda: coam(channel_att_only=True, kpt_encoder=encoder(type="ColoredKeypointEncoder")),
    ],
)
def test_folding_and_pruning_keep_the_function(build: Any) -> None:
    torch.manual_seed(0)
    network = build()
    images = torch.randn(2, 3, 64, 96)
    ready(network, images)
    with torch.no_grad():
        before = network(images, CONDITION.expand(2, -1, -1))
        network.prune()
        fold_batch_norms(network)
        after = network(images, CONDITION.expand(2, -1, -1))
        other = network(images, CONDITION.expand(2, -1, -1) * 0.9)
    assert before.shape[1] == network.channels
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    spread = float(before.std())
    torch.testing.assert_close(after, before, rtol=0, atol=1e-3 * spread)
    assert float((other - before).abs().max()) > 0.01 * spread  # the condition has an effect


def test_input_sizes() -> None:
    assert coam().input_size == (64, 96)
    assert prenet().input_size is None
    assert (coam().conditional, prenet().conditional, prenet().stride, coam().stride) == (True, True, 32, 4)


@pytest.mark.parametrize(
    ("build", "changes", "message"),
    [
        (coam, {"coam_modules": [4]}, "stages 1, 2 or 3"),
        (coam, {"selfatt_coam_modules": [3]}, "selfatt_coam_modules"),
        (coam, {"img_size": [64, 100]}, "multiples of 32"),
        (coam, {"att_heads": 5}, "att_heads"),
        (coam, {"base_model_name": "resnet50"}, "resnet50"),
        (prenet, {"backbone": {"type": "DLCRNet"}}, "DLCRNet"),
        (prenet, {"backbone": "HRNet"}, "HRNet"),
    ],
)
def test_unsupported_options_are_rejected(build: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        build(**changes)


@pytest.mark.slow
def test_export_with_dynamic_size(config: dict[str, Any], onnx_file: Any, tmp_path: Path) -> None:
    options = copy.deepcopy(config)
    inner = options["model"]["backbone"]
    options["model"]["backbone"] = {"type": "CondPreNet", "backbone": inner, "kpt_encoder": encoder()}
    torch.manual_seed(1)
    network = build_network(PoseConfig.from_mapping(options, where="a test"))
    assert isinstance(network, PoseNetwork)
    ready(network, torch.randn(2, 3, 64, 96))
    with torch.no_grad():
        for value in network.heads.parameters():  # refinements of a few pixels
            value.mul_(0.01)
    network.prepare()
    fold_batch_norms(network)
    graph = KeypointGraph(network, normalisation="imagenet").eval()
    card = ModelCard(net_type="ctd_small", skeleton=Skeleton(("a", "b", "c")))
    write_onnx(graph, card, tmp_path / "a.onnx")
    runtime = onnx_file(tmp_path / "a.onnx")
    rng = np.random.default_rng(0)
    for height, width in ((64, 96), (160, 128)):
        images = rng.integers(0, 256, (3, height, width, 3), dtype=np.uint8)
        conditions = rng.uniform(-10, 140, (3, 3, 3)).astype(np.float32)
        conditions[1] = (np.nan, np.nan, 0)
        with torch.inference_mode():
            expected = graph(torch.from_numpy(images), torch.from_numpy(conditions))["keypoints"].numpy()
        keypoints = runtime.run(images, conditions)["keypoints"]
        np.testing.assert_allclose(keypoints, expected, atol=0.01)
