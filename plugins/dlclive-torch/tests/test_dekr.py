"""The head of DEKR: adaptive convolutions, separate and joined, and export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from dlclive_torch.backbones.hrnet import build_hrnet
from dlclive_torch.folding import fold_batch_norms
from dlclive_torch.heads.adaptive import AdaptiveBlock, join_blocks
from dlclive_torch.heads.dekr import DEKRHead, build_dekr_head
from torch import Tensor, nn
from torch.nn import functional

from dlclive_core import UnsupportedModelError


def options(**changes: Any) -> dict[str, Any]:
    return {
        "type": "DEKRHead",
        "predictor": {"type": "DEKRPredictor", "num_animals": 2, "apply_sigmoid": False, "use_heatmap": False},
        "heatmap_config": {
            "channels": [10, 6, 4],
            "num_blocks": 1,
            "dilation_rate": 1,
            "final_conv_kernel": 1,
            **changes.pop("heatmap", {}),
        },
        "offset_config": {
            "channels": [10, 15, 3],
            "num_offset_per_kpt": 5,
            "num_blocks": 2,
            "dilation_rate": 1,
            "final_conv_kernel": 1,
            **changes.pop("offset", {}),
        },
        **changes,
    }


def randomised(module: Any) -> Any:
    """Randomise every weight and statistic, to avoid special cases."""
    torch.manual_seed(0)
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5 if name.endswith("running_var") else torch.randn_like(value) * 0.5)
    return module.eval()


def shifting_block(channels: int, shift: tuple[float, float]) -> AdaptiveBlock:
    """A block that shifts its sampling points by (rows, columns) everywhere."""
    block = randomised(AdaptiveBlock(channels))
    block.regular_matrix.copy_(AdaptiveBlock(channels).regular_matrix)
    for layer, bias in ((block.transform_matrix_conv, [1.0, 0, 0, 1]), (block.translation_conv, shift)):
        nn.init.zeros_(layer.weight)
        layer.bias.data.copy_(torch.tensor(bias))
    return block


def convolved(block: AdaptiveBlock, features: Tensor, sampled: Tensor) -> Tensor:
    """Apply an ordinary convolution to the sampled features."""
    return functional.relu(block.bn(functional.conv2d(sampled, block.adapt_conv.weight, padding=1)) + features)


def test_a_block_without_shift_is_a_convolution() -> None:
    block, features = shifting_block(3, (0, 0)), torch.randn(2, 3, 6, 7)
    torch.testing.assert_close(block(features), convolved(block, features, features), rtol=0, atol=1e-4)


def test_a_shift_down_by_a_cell_and_right_by_half_a_cell() -> None:
    block, features = shifting_block(3, (1, 0.5)), torch.randn(1, 3, 6, 7)
    # The sample at (r, c) is the mean of (r + 1, c) and (r + 1, c + 1), 0 outside the map; starts at row and column -1.
    wide = functional.pad(features, (1, 2, 0, 2))
    sampled = (wide[..., :-1] + wide[..., 1:]) / 2
    expected = functional.relu(block.bn(functional.conv2d(sampled, block.adapt_conv.weight)) + features)
    torch.testing.assert_close(block(features), expected, rtol=0, atol=1e-4)


def test_blocks_match_torchvisions_deformable_convolution() -> None:
    """Sampling points are anywhere, also far outside the map; rows before columns."""
    ops = pytest.importorskip("torchvision.ops")
    block, features = randomised(AdaptiveBlock(4)), torch.randn(2, 4, 9, 11)
    matrix = block.transform_matrix_conv(features).permute(0, 2, 3, 1).reshape(-1, 2, 2)
    moved = (matrix @ block.regular_matrix - block.regular_matrix).view(2, 9, 11, 2, 9)
    moved = moved + block.translation_conv(features).permute(0, 2, 3, 1).unsqueeze(4)
    offsets = moved.permute(0, 4, 3, 1, 2).reshape(2, 18, 9, 11)
    assert offsets.abs().max() > 9
    summed = ops.deform_conv2d(features, offsets, block.adapt_conv.weight, padding=1)
    torch.testing.assert_close(block(features), functional.relu(block.bn(summed) + features), rtol=0, atol=1e-4)


def test_joined_blocks_match_separate_blocks() -> None:
    blocks = [randomised(AdaptiveBlock(4)), shifting_block(4, (1, 2)), shifting_block(4, (0, -1.5))]
    features = torch.randn(2, 12, 6, 8)
    apart = [block(part) for block, part in zip(blocks, features.chunk(3, dim=1), strict=True)]
    torch.testing.assert_close(join_blocks(blocks)(features), torch.cat(apart, dim=1), rtol=0, atol=1e-5)


def test_preparing_and_folding_keep_the_function() -> None:
    head = randomised(build_dekr_head(options(), 4))
    features = torch.randn(2, 10, 12, 16)
    with torch.inference_mode():
        before = head.offset_head(features), head.heatmap_head(features)
        head.prepare()
        fold_batch_norms(head)
        after = head.offset_head(features), head.heatmap_head(features)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in head.modules())
    for output_before, output_after in zip(before, after, strict=True):
        torch.testing.assert_close(output_after, output_before, rtol=1e-4, atol=1e-4)


def test_half_precision_features_are_sampled_in_float32() -> None:
    """Half precision cannot distinguish the columns of a map of 3000 cells."""
    block, features = shifting_block(1, (0, 0.5)), torch.randn(1, 1, 1, 3000)
    keypoints = block.half()(features.half()).float()
    torch.testing.assert_close(keypoints, block.float()(features), rtol=0.02, atol=0.02)


def test_export_with_dynamic_size(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    head: DEKRHead = randomised(build_dekr_head(options(), 4))
    head.prepare()
    rows, columns = torch.export.Dim("rows"), torch.export.Dim("columns")
    with torch.inference_mode():
        program = torch.onnx.export(
            head,
            (torch.randn(2, 10, 12, 16),),
            dynamo=True,
            verbose=False,
            output_names=["keypoints"],
            dynamic_shapes=({0: torch.export.Dim("batch"), 2: rows, 3: columns},),
            opset_version=18,
        )
        assert program is not None
        program.save(tmp_path / "a.onnx")
        session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
        for shape in ((1, 10, 12, 16), (3, 10, 9, 23)):
            features = torch.randn(shape)
            (keypoints,) = session.run(None, {session.get_inputs()[0].name: features.numpy()})
            torch.testing.assert_close(
                torch.from_numpy(keypoints), head(features)["keypoints"], rtol=1e-4, atol=1e-3, equal_nan=True
            )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predictor": {"type": "HeatmapPredictor"}}, "HeatmapPredictor"),
        ({"offset": {"dilation_rate": 2}}, "offset_config has dilation_rate 2"),
        ({"heatmap": {"final_conv_kernel": 3}}, "heatmap_config has final_conv_kernel 3"),
        ({"offset": {"channels": [10, 16, 3]}}, "16 channels"),
        ({"heatmap": {"channels": [10, 6, 3]}}, "3 heatmaps"),
    ],
)
def test_unsupported_options_are_rejected(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        build_dekr_head(options(**changes), 4)


@pytest.mark.parametrize(
    ("options", "channels"),
    [
        ({}, 18),
        ({"interpolate_branches": True}, 270),
        ({"increased_channel_count": True}, 128),
        ({"interpolate_branches": True, "increased_channel_count": True}, 1920),
    ],
)
def test_channels_of_hrnets_branches(options: dict[str, Any], channels: int) -> None:
    backbone = build_hrnet({"model_name": "hrnet_w18", **options}).eval()
    assert backbone.channels == channels
    with torch.inference_mode():
        before = backbone(torch.ones(1, 3, 64, 96))
        backbone.prune()
        torch.testing.assert_close(backbone(torch.ones(1, 3, 64, 96)), before)
    assert before.shape == (1, channels, 16, 24)
