"""The head of DEKR: heatmaps of keypoints and centres, and offsets from each centre to its keypoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from dlclive_core import UnsupportedModelError
from dlclive_torch.dekr_decoding import DEKRDecoding, decode_dekr
from dlclive_torch.heads.adaptive import AdaptiveBlock, join_blocks
from dlclive_torch.heads.base import Head


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with a skip connection (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(features)))
        return functional.relu(self.bn2(self.conv2(out)) + features)


def _transition(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU())


class KeypointMaps(nn.Module):
    """A heatmap for each keypoint and one for the centres of animals."""

    def __init__(self, channels: int, hidden: int, maps: int, blocks: int) -> None:
        super().__init__()
        self.transition_heatmap = _transition(channels, hidden)
        self.head_heatmap = nn.ModuleList(
            [nn.Sequential(*(ResidualBlock(hidden) for _ in range(blocks))), nn.Conv2d(hidden, maps, 1)]
        )

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.transition_heatmap(features)
        for layer in self.head_heatmap:
            out = layer(out)
        return out


class OffsetMaps(nn.Module):
    """Two offset maps for each keypoint, regressed from separate channels."""

    def __init__(self, channels: int, hidden: int, keypoints: int, blocks: int) -> None:
        super().__init__()
        self.hidden, self.keypoints = hidden, keypoints
        self.transition_offset = _transition(channels, hidden * keypoints)
        self.offset_feature_layers = nn.ModuleList(
            nn.Sequential(*(AdaptiveBlock(hidden) for _ in range(blocks))) for _ in range(keypoints)
        )
        self.offset_final_layer = nn.ModuleList(nn.Conv2d(hidden, 2, 1) for _ in range(keypoints))

    def forward(self, features: Tensor) -> Tensor:
        chunks = self.transition_offset(features).chunk(len(self.offset_feature_layers), dim=1)
        maps = [
            final(blocks(chunk))
            for chunk, blocks, final in zip(chunks, self.offset_feature_layers, self.offset_final_layer, strict=True)
        ]
        return torch.cat(maps, dim=1)

    def join(self) -> None:
        """Compute all keypoints at once, with grouped convolutions."""
        chains = [cast("nn.Sequential", chain) for chain in self.offset_feature_layers]
        steps = [join_blocks([cast("AdaptiveBlock", block) for block in step]) for step in zip(*chains, strict=True)]
        finals = [cast("nn.Conv2d", layer) for layer in self.offset_final_layer]
        final = nn.Conv2d(self.hidden * self.keypoints, 2 * self.keypoints, 1, groups=self.keypoints)
        final.load_state_dict(
            {name: torch.cat([layer.state_dict()[name] for layer in finals]) for name in ("weight", "bias")}
        )
        self.offset_feature_layers = nn.ModuleList([nn.Sequential(*steps)])
        self.offset_final_layer = nn.ModuleList([final])


class DEKRHead(Head):
    """Several individuals per image.

    Geng et al. 2021, "Bottom-up human pose estimation via disentangled keypoint regression" (arXiv 2104.02300).
    """

    exact = True

    def __init__(self, heatmap: KeypointMaps, offset: OffsetMaps, decoding: DEKRDecoding) -> None:
        super().__init__()
        self.heatmap_head = heatmap
        self.offset_head = offset
        self.decoding = decoding
        self.keypoints = offset.keypoints
        self.stride = decoding.stride

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        return {"keypoints": decode_dekr(self.heatmap_head(features), self.offset_head(features), self.decoding)}

    def prepare(self) -> None:
        self.offset_head.join()


def build_dekr_head(options: Mapping[str, Any], feature_stride: int) -> DEKRHead:
    """Build the head from its part of a configuration; `feature_stride` in input pixels per cell."""
    predictor = options.get("predictor") or {}
    if predictor.get("type", "DEKRPredictor") != "DEKRPredictor":
        raise UnsupportedModelError(f"no predictor {predictor['type']!r} for a DEKRHead: choose DEKRPredictor")
    heatmap, offset = options["heatmap_config"], options["offset_config"]
    for name, part in (("heatmap_config", heatmap), ("offset_config", offset)):
        for option in ("dilation_rate", "final_conv_kernel"):
            if int(part.get(option) or 1) != 1:
                raise UnsupportedModelError(
                    f"a DEKRHead whose {name} has {option} {part[option]} is not supported; only 1 is"
                )
    channels, hidden, maps = (int(number) for number in heatmap["channels"])
    offset_channels, wide, keypoints = (int(number) for number in offset["channels"])
    per_keypoint = int(offset["num_offset_per_kpt"])
    if wide != per_keypoint * keypoints or maps != keypoints + 1:
        raise UnsupportedModelError(
            f"a DEKRHead with {maps} heatmaps and {wide} channels for the offsets of {keypoints} keypoints, "
            f"{per_keypoint} each, is not supported; expected {keypoints + 1} and {per_keypoint * keypoints}"
        )
    return DEKRHead(
        KeypointMaps(channels, hidden, maps, int(heatmap.get("num_blocks") or 1)),
        OffsetMaps(offset_channels, per_keypoint, keypoints, int(offset.get("num_blocks") or 1)),
        DEKRDecoding.from_predictor(predictor, stride=feature_stride / float(options.get("stride") or 1)),
    )
