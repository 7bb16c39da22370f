"""The head of TokenPose: from the token of each keypoint to its heatmap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from dlclive_core import UnsupportedModelError
from dlclive_core.runtimes import HeatmapDecoding
from dlclive_torch.decoding import decode_heatmap
from dlclive_torch.heads.base import Head

_STAGES = 3
"""Stages of the neck; their tokens are concatenated."""


class TransformerHead(Head):
    """One individual per image of a fixed size: each token becomes a heatmap, decoded by `decode_heatmap`.

    Li et al. 2021, "TokenPose: learning keypoint tokens for human pose estimation" (arXiv 2104.03516).

    Args:
        channels: channels of a token, summed over all stages.
        hidden: channels between the two layers; None for a single layer.
        heatmap_size: (height, width) of a heatmap in cells.
        decoding: from heatmaps to keypoints.
    """

    def __init__(
        self, channels: int, hidden: int | None, heatmap_size: tuple[int, int], decoding: HeatmapDecoding
    ) -> None:
        super().__init__()
        height, width = self.heatmap_size = heatmap_size
        self.decoding = decoding
        self.stride = decoding.stride
        self.input_size = round(height * decoding.stride), round(width * decoding.stride)
        layers: list[nn.Module] = [nn.LayerNorm(channels)]
        if hidden is not None:
            layers += [nn.Linear(channels, hidden), nn.LayerNorm(hidden)]
        self.mlp_head = nn.Sequential(*layers, nn.Linear(hidden or channels, height * width))

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        heatmap = self.mlp_head(features).reshape(*features.shape[:2], *self.heatmap_size)
        return {"keypoints": decode_heatmap(heatmap, None, self.decoding)}


def build_transformer_head(options: Mapping[str, Any], feature_stride: int) -> TransformerHead:
    """Build the head from its part of a configuration; `feature_stride` in input pixels per cell."""
    predictor = {name: value for name, value in (options.get("predictor") or {}).items() if value is not None}
    if predictor.get("type", "HeatmapPredictor") != "HeatmapPredictor":
        raise UnsupportedModelError(
            f"no predictor {predictor['type']!r} for a TransformerHead: choose HeatmapPredictor"
        )
    height, width = (int(side) for side in options["heatmap_size"])
    if int(options["heatmap_dim"]) != height * width:
        raise UnsupportedModelError(
            f"a TransformerHead with heatmap_dim {options['heatmap_dim']} does not match a heatmap_size of {height} x {width}"
        )
    channels, hidden = _STAGES * int(options["dim"]), int(options.get("hidden_heatmap_dim") or 0)
    decoding = HeatmapDecoding(
        stride=feature_stride / float(options.get("head_stride") or 1),
        locref_std=None,
        apply_sigmoid=bool(predictor.get("apply_sigmoid", True)),  # DeepLabCut's default, which its file omits
        clip_scores=bool(predictor.get("clip_scores", False)),
    )
    # DeepLabCut adds the hidden layer only if it is at least twice as wide as the tokens.
    has_hidden = bool(options.get("apply_multi")) and hidden >= 2 * channels
    return TransformerHead(channels, hidden if has_hidden else None, (height, width), decoding)
