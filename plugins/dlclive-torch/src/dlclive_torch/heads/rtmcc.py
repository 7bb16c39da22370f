"""The head of RTMPose: a token per keypoint, self-attention, and a classification along each axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from dlclive_core import UnsupportedModelError
from dlclive_torch.heads.base import Head
from dlclive_torch.heads.gau import GatedAttentionUnit, ScaleNorm
from dlclive_torch.simcc_decoding import SimCCDecoding, decode_simcc


class RTMCCHead(Head):
    """One individual per image; images have a fixed size.

    Jiang et al. 2023, "RTMPose: real-time multi-person pose estimation based on MMPose" (arXiv 2303.07399).

    Args:
        input_size: (height, width) of the network's input in pixels; fixed.
        feature_size: (height, width) of the features.
        channels: channels of the features.
        keypoints: number of keypoints.
        kernel: kernel size of the convolution that computes a map per keypoint.
        hidden: channels of a token.
        width: channels of the attention's queries and keys.
        expansion: channels of the attention's values, in multiples of `hidden`.
        bins_per_pixel: resolution of the logits along each axis.
        decoding: from logits to keypoints.
    """

    def __init__(
        self,
        *,
        input_size: tuple[int, int],
        feature_size: tuple[int, int],
        channels: int,
        keypoints: int,
        kernel: int,
        hidden: int,
        width: int,
        expansion: int,
        bins_per_pixel: float,
        decoding: SimCCDecoding,
    ) -> None:
        super().__init__()
        cells = feature_size[0] * feature_size[1]
        self.input_size = input_size
        self.decoding = decoding
        self.keypoints = keypoints
        self.stride = 1 / decoding.split_ratio
        self.final_layer = nn.Conv2d(channels, keypoints, kernel, padding=kernel // 2)
        self.mlp = nn.Sequential(ScaleNorm(cells), nn.Linear(cells, hidden, bias=False))
        self.gau = GatedAttentionUnit(hidden, width, expansion)
        self.cls_x = nn.Linear(hidden, int(input_size[1] * bins_per_pixel), bias=False)
        self.cls_y = nn.Linear(hidden, int(input_size[0] * bins_per_pixel), bias=False)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        tokens = self.gau(self.mlp(self.final_layer(features).flatten(2)))
        return {"keypoints": decode_simcc(self.cls_x(tokens), self.cls_y(tokens), self.decoding)}


def build_rtmcc_head(options: Mapping[str, Any], feature_stride: int) -> RTMCCHead:
    """Build the head from its part of a configuration, where sizes are (width, height).

    The head's `input_size` is authoritative: for rtmpose_x, deeplabcut 3.0.1 and 3.0.2 write a different crop elsewhere in
    the configuration.
    """
    predictor = options.get("predictor") or {}
    if predictor.get("type", "SimCCPredictor") != "SimCCPredictor":
        raise UnsupportedModelError(f"no predictor {predictor['type']!r} for an RTMCCHead: choose SimCCPredictor")
    attention = options.get("gau_cfg") or {}
    for option in ("use_rel_bias", "pos_enc"):
        if attention.get(option):
            raise UnsupportedModelError(f"an RTMCCHead whose gau_cfg has {option} is not supported")
    activation = attention.get("act_fn") or "SiLU"
    if activation != "SiLU":
        raise UnsupportedModelError(f"no activation {activation!r} for the gau_cfg of an RTMCCHead: choose SiLU")
    width, height = (int(side) for side in options["input_size"])
    across, down = (int(side) for side in options["in_featuremap_size"])
    if (down, across) != (height // feature_stride, width // feature_stride):
        raise UnsupportedModelError(
            f"an RTMCCHead for inputs of {width} x {height} and features of {across} x {down} does not match a backbone "
            f"with stride {feature_stride}"
        )
    return RTMCCHead(
        input_size=(height, width),
        feature_size=(down, across),
        channels=int(options["in_channels"]),
        keypoints=int(options["out_channels"]),
        kernel=int(options["final_layer_kernel_size"]),
        hidden=int(attention.get("hidden_dims") or 256),
        width=int(attention.get("s") or 128),
        expansion=int(attention.get("expansion_factor") or 2),
        bins_per_pixel=float(options["simcc_split_ratio"]),
        decoding=SimCCDecoding.from_predictor(predictor),
    )
