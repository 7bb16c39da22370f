"""The head of RTMPose: sizes, unsupported options, and the attention."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from dlclive_torch.heads.gau import GatedAttentionUnit, ScaleNorm
from dlclive_torch.heads.rtmcc import RTMCCHead, build_rtmcc_head

from dlclive_core import UnsupportedModelError


def options(**changes: Any) -> dict[str, Any]:
    """A head for inputs 96 wide and 64 high."""
    return {
        "type": "RTMCCHead",
        "predictor": {"type": "SimCCPredictor", "simcc_split_ratio": 2.0},
        "input_size": [96, 64],
        "in_channels": 8,
        "out_channels": 4,
        "in_featuremap_size": [3, 2],
        "simcc_split_ratio": 2.0,
        "final_layer_kernel_size": 7,
        "gau_cfg": {"hidden_dims": 16, "s": 8, "expansion_factor": 2, "act_fn": "SiLU"},
        **changes,
    }


def test_sizes_are_read_as_width_and_height() -> None:
    head = build_rtmcc_head(options(), 32)
    assert head.input_size == (64, 96)
    assert (head.cls_x.out_features, head.cls_y.out_features) == (192, 128)
    outputs = head(torch.randn(2, 8, 2, 3))["keypoints"]
    assert outputs.shape == (2, 1, 4, 3)
    assert outputs.dtype == torch.float32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predictor": {"type": "HeatmapPredictor"}}, "HeatmapPredictor"),
        ({"gau_cfg": {"use_rel_bias": True}}, "use_rel_bias"),
        ({"gau_cfg": {"pos_enc": True}}, "pos_enc"),
        ({"gau_cfg": {"act_fn": "ReLU"}}, "ReLU"),
        ({"in_featuremap_size": [2, 3]}, "stride 32"),
    ],
)
def test_unsupported_options_are_rejected(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        build_rtmcc_head(options(**changes), 32)


def test_scale_norm_divides_by_the_root_mean_square() -> None:
    norm = ScaleNorm(2)
    torch.nn.init.constant_(norm.g, 3.0)
    root = math.sqrt((1 + 49) / 2)
    torch.testing.assert_close(
        norm(torch.tensor([[1.0, 7.0], [0.0, 0.0]])), torch.tensor([[3 / root, 21 / root], [0, 0]])
    )


def test_scale_norm_does_not_overflow_half_precision() -> None:
    tokens = torch.full((1, 4), 300.0, dtype=torch.float16)  # 300 squared overflows half precision
    torch.testing.assert_close(ScaleNorm(4).half()(tokens), torch.ones(1, 4, dtype=torch.float16))


def test_attention_matches_hand_computed_values() -> None:
    """Two tokens of one channel, all weights 1; normalised, the tokens are 1 and -1."""
    unit = GatedAttentionUnit(channels=1, width=1, expansion=1)
    for parameter in (unit.uv.weight, unit.o.weight):
        torch.nn.init.ones_(parameter)
    torch.nn.init.constant_(unit.res_scale.scale, 10.0)
    silu = {sign: sign / (1 + math.exp(-sign)) for sign in (1.0, -1.0)}
    scores = {
        (query, key): max(silu[query] * silu[key], 0.0) ** 2 for query in (1.0, -1.0) for key in (1.0, -1.0)
    }  # s is 1; a token that looks away is not attended to
    expected = [
        10 * token + silu[sign] * sum(scores[sign, key] * silu[key] for key in (1.0, -1.0))
        for token, sign in ((5.0, 1.0), (-2.0, -1.0))
    ]
    outputs = unit(torch.tensor([[[5.0], [-2.0]]]))
    assert outputs[0, :, 0].tolist() == pytest.approx(expected, abs=1e-5)


def test_weight_names_match_deeplabcut() -> None:
    names = set(RTMCCHead.state_dict(build_rtmcc_head(options(), 32)))
    assert names == {
        "final_layer.weight", "final_layer.bias", "mlp.0.g", "mlp.1.weight", "gau.ln.g", "gau.uv.weight", "gau.gamma",
        "gau.beta", "gau.o.weight", "gau.res_scale.scale", "cls_x.weight", "cls_y.weight",
    }  # fmt: skip
