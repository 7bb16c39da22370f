"""The neck and the head of TokenPose: patches, attention, positions, and unsupported options."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from dlclive_torch.heads.transformer import build_transformer_head
from dlclive_torch.necks.attention import Attention, FeedForward
from dlclive_torch.necks.transformer import Transformer, build_transformer
from torch import Tensor, nn

from dlclive_core import UnsupportedModelError


def neck(**changes: Any) -> Transformer:
    """A neck for features of 4 x 6 cells in patches of 2 x 3."""
    options = {
        "type": "Transformer", "feature_size": [4, 6], "patch_size": [2, 3], "num_keypoints": 2, "dim": 4, "depth": 2,
        "heads": 2, "channels": 5, **changes,
    }  # fmt: skip
    return build_transformer(options)


def head_options(**changes: Any) -> dict[str, Any]:
    return {
        "type": "TransformerHead", "predictor": {"type": "HeatmapPredictor", "location_refinement": False}, "dim": 4,
        "hidden_heatmap_dim": 8, "heatmap_dim": 24, "apply_multi": True, "heatmap_size": [4, 6], "head_stride": 1, **changes,
    }  # fmt: skip


def test_patches_are_in_row_order_with_channels_last() -> None:
    features = torch.arange(5 * 4 * 6.0).view(1, 5, 4, 6)
    patches = neck()._patches(features)
    assert patches.shape == (1, 4, 30)
    assert patches[0, 1].tolist() == [float(features[0, c, y, x]) for y in (0, 1) for x in (3, 4, 5) for c in range(5)]
    assert patches[0, 2, 0] == features[0, 0, 2, 0]


def test_attention_matches_hand_computed_values() -> None:
    """Two heads of one channel; queries, keys and values are the tokens."""
    attention = Attention(channels=2, heads=2)
    attention.to_qkv.weight.data.copy_(torch.eye(2).repeat(3, 1))
    attention.to_out[0].weight.data.copy_(torch.eye(2))
    attention.to_out[0].bias.data.zero_()
    tokens = torch.tensor([[[1.0, 0.0], [2.0, 3.0]]])
    expected = torch.stack(
        [torch.softmax(tokens[0, :, c : c + 1] * tokens[0, :, c], dim=1) @ tokens[0, :, c] for c in range(2)], dim=1
    )
    torch.testing.assert_close(attention(tokens)[0], expected)


class Noted(nn.Module):
    """Records its input and returns 0."""

    def forward(self, tokens: Tensor) -> Tensor:
        self.tokens_in = tokens
        return torch.zeros_like(tokens)


def test_later_stages_add_positions_before_every_layer_but_the_first() -> None:
    network = neck()
    nn.init.constant_(network.keypoint_token, 1.0)
    nn.init.constant_(network.pos_embedding, 10.0)
    layers = []
    for number in (1, 2, 3):
        stage = getattr(network, f"transformer{number}")
        stage.layers = nn.ModuleList([Noted(), Noted()])
        layers.append(stage.layers)
        nn.init.zeros_(network.patch_to_embedding.weight)
        nn.init.zeros_(network.patch_to_embedding.bias)
    network(torch.zeros(1, 5, 4, 6))
    assert layers[0][0].tokens_in[0, :, 0].tolist() == [1, 1, 10, 10, 10, 10]  # keypoints, then patches
    assert layers[0][1].tokens_in.abs().max() == 0
    assert layers[1][0].tokens_in.abs().max() == 0
    assert (
        layers[1][1].tokens_in[0, :, 0].tolist() == layers[2][1].tokens_in[0, :, 0].tolist() == [0, 0, 10, 10, 10, 10]
    )


def test_the_output_is_the_keypoint_tokens_of_each_stage() -> None:
    torch.manual_seed(0)
    network = neck()
    nn.init.normal_(network.keypoint_token)
    outputs = network(torch.randn(3, 5, 4, 6))
    assert outputs.shape == (3, 2, 12)
    names = set(network.state_dict())
    assert {"keypoint_token", "pos_embedding", "patch_to_embedding.weight"} <= names
    assert {"transformer3.layers.1.0.fn.fn.to_out.0.bias", "transformer1.layers.0.1.fn.fn.net.3.weight"} <= names
    assert [type(layer).__name__ for layer in FeedForward(4, 3).net if layer.state_dict()] == ["Linear", "Linear"]


def test_the_head_decodes_the_bias_as_a_heatmap() -> None:
    """With zero weights, all heatmaps are the bias: the maximum of 1 is in row 2, column 3; stride 4."""
    head = build_transformer_head(head_options(), 4)
    assert head.input_size == (16, 24)
    *_, last = head.mlp_head
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    last.bias.data[2 * 6 + 3] = 1.0
    outputs = head(torch.randn(1, 2, 12))["keypoints"]
    assert outputs.shape == (1, 1, 2, 3)
    assert outputs[0, 0, 1].tolist() == [14.0, 10.0, pytest.approx(0.7310586)]  # sigmoid by default
    plain = build_transformer_head(head_options(predictor={"apply_sigmoid": False}), 4)
    plain.load_state_dict(head.state_dict())
    assert plain(torch.randn(1, 2, 12))["keypoints"][0, 0, 0].tolist() == [14.0, 10.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "linear"),
    [
        ({"hidden_heatmap_dim": 23}, ["1"]),
        ({"hidden_heatmap_dim": 24}, ["1", "3"]),
        ({"hidden_heatmap_dim": 24, "apply_multi": False}, ["1"]),
    ],
)
def test_a_hidden_layer_needs_twice_the_width_of_the_tokens(changes: dict[str, Any], linear: list[str]) -> None:
    head = build_transformer_head(head_options(**changes), 4)
    assert [name for name, layer in head.mlp_head.named_children() if isinstance(layer, nn.Linear)] == linear


def test_unsupported_options_are_rejected() -> None:
    with pytest.raises(UnsupportedModelError, match="'learnable'"):
        neck(pos_embedding_type="learnable")
    with pytest.raises(UnsupportedModelError, match="must be a multiple of patch_size"):
        neck(patch_size=[3, 3])
    with pytest.raises(UnsupportedModelError, match="heads 3 and dim 4"):
        neck(heads=3)
    with pytest.raises(UnsupportedModelError, match="SimCCPredictor"):
        build_transformer_head(head_options(predictor={"type": "SimCCPredictor"}), 4)
    with pytest.raises(UnsupportedModelError, match="heatmap_dim 25"):
        build_transformer_head(head_options(heatmap_dim=25), 4)
