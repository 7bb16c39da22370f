"""The head of DEKR: its adaptive convolutions, computed together and apart, and exported."""

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


def shaken(module: Any) -> Any:
    """Every weight and statistic random, so that nothing is a special case."""
    torch.manual_seed(0)
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5 if name.endswith("running_var") else torch.randn_like(value) * 0.5)
    return module.eval()


def still(channels: int, shift: tuple[float, float]) -> AdaptiveBlock:
    """A block that moves its places by (rows, columns) everywhere."""
    block = shaken(AdaptiveBlock(channels))
    block.regular_matrix.copy_(AdaptiveBlock(channels).regular_matrix)
    for layer, bias in ((block.transform_matrix_conv, [1.0, 0, 0, 1]), (block.translation_conv, shift)):
        nn.init.zeros_(layer.weight)
        layer.bias.data.copy_(torch.tensor(bias))
    return block


def plainly(block: AdaptiveBlock, features: Tensor, seen: Tensor) -> Tensor:
    """What an ordinary convolution of `seen` makes of it."""
    return functional.relu(block.bn(functional.conv2d(seen, block.adapt_conv.weight, padding=1)) + features)


def test_without_moving_it_is_a_convolution() -> None:
    block, features = still(3, (0, 0)), torch.randn(2, 3, 6, 7)
    torch.testing.assert_close(block(features), plainly(block, features, features), rtol=0, atol=1e-4)


def test_moving_down_by_a_cell_and_right_by_half_a_cell() -> None:
    block, features = still(3, (1, 0.5)), torch.randn(1, 3, 6, 7)
    # Seen at (r, c) is the mean of (r + 1, c) and (r + 1, c + 1), with 0 beyond the map; from row and column -1 on.
    wide = functional.pad(features, (1, 2, 0, 2))
    seen = (wide[..., :-1] + wide[..., 1:]) / 2
    wanted = functional.relu(block.bn(functional.conv2d(seen, block.adapt_conv.weight)) + features)
    torch.testing.assert_close(block(features), wanted, rtol=0, atol=1e-4)


def test_agrees_with_deformable_convolutions() -> None:
    """Places anywhere, also far beyond the map; rows before columns."""
    ops = pytest.importorskip("torchvision.ops")
    block, features = shaken(AdaptiveBlock(4)), torch.randn(2, 4, 9, 11)
    matrix = block.transform_matrix_conv(features).permute(0, 2, 3, 1).reshape(-1, 2, 2)
    moved = (matrix @ block.regular_matrix - block.regular_matrix).view(2, 9, 11, 2, 9)
    moved = moved + block.translation_conv(features).permute(0, 2, 3, 1).unsqueeze(4)
    offsets = moved.permute(0, 4, 3, 1, 2).reshape(2, 18, 9, 11)
    assert offsets.abs().max() > 9
    summed = ops.deform_conv2d(features, offsets, block.adapt_conv.weight, padding=1)
    torch.testing.assert_close(block(features), functional.relu(block.bn(summed) + features), rtol=0, atol=1e-4)


def test_blocks_beside_each_other_do_the_same_as_apart() -> None:
    blocks = [shaken(AdaptiveBlock(4)), still(4, (1, 2)), still(4, (0, -1.5))]
    features = torch.randn(2, 12, 6, 8)
    apart = [block(part) for block, part in zip(blocks, features.chunk(3, dim=1), strict=True)]
    torch.testing.assert_close(join_blocks(blocks)(features), torch.cat(apart, dim=1), rtol=0, atol=1e-5)


def test_preparing_and_folding_keep_the_function() -> None:
    head = shaken(build_dekr_head(options(), 4))
    features = torch.randn(2, 10, 12, 16)
    with torch.inference_mode():
        before = head.offset_head(features), head.heatmap_head(features)
        head.prepare()
        fold_batch_norms(head)
        after = head.offset_head(features), head.heatmap_head(features)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in head.modules())
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-4)


def test_half_precision_reads_at_places_in_single() -> None:
    """A map 3000 cells wide, whose places half precision cannot tell apart."""
    block, features = still(1, (0, 0.5)), torch.randn(1, 1, 1, 3000)
    found = block.half()(features.half()).float()
    torch.testing.assert_close(found, block.float()(features), rtol=0.02, atol=0.02)


def test_exported_for_any_size(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    head: DEKRHead = shaken(build_dekr_head(options(), 4))
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
            (found,) = session.run(None, {session.get_inputs()[0].name: features.numpy()})
            torch.testing.assert_close(
                torch.from_numpy(found), head(features)["keypoints"], rtol=1e-4, atol=1e-3, equal_nan=True
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
def test_refuses_what_it_cannot_compute(changes: dict[str, Any], message: str) -> None:
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
def test_branches_of_the_backbone(options: dict[str, Any], channels: int) -> None:
    backbone = build_hrnet({"model_name": "hrnet_w18", **options}).eval()
    assert backbone.channels == channels
    with torch.inference_mode():
        before = backbone(torch.ones(1, 3, 64, 96))
        backbone.prune()
        torch.testing.assert_close(backbone(torch.ones(1, 3, 64, 96)), before)
    assert before.shape == (1, channels, 16, 24)
