"""HRNet from timm: the branch of the highest resolution, or all branches at that resolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from dlclive_core import UnsupportedModelError, nearest
from dlclive_torch.backbones.base import Backbone

_NAMES = ("hrnet_w18", "hrnet_w32", "hrnet_w48")
"""Only these names reach timm: otherwise a name in a file could trigger a download."""

_BRANCHES = 4
"""Each branch has half the resolution and twice the channels of the previous one."""

_WIDENED = 128
"""Channels of the first branch after the layers that widen the branches for classification."""


class HRNet(Backbone):
    """An HRNet without its classifier.

    Wang et al. 2020, "Deep high-resolution representation learning for visual recognition". The branches are fused
    with each other, so height and width of the input must be multiples of 32.

    Args:
        name: timm's name of the HRNet.
        all_branches: return all branches, resized to the highest resolution and concatenated; otherwise only the branch
            of the highest resolution.
        widened: take the branches after the layers that widen them for classification.
    """

    stride = 4

    def __init__(self, name: str, *, all_branches: bool = False, widened: bool = False) -> None:
        super().__init__()
        self.model: nn.Module = timm.create_model(
            name,
            pretrained=False,
            features_only=True,
            feature_location="incre" if widened else "",
            out_indices=tuple(range(1, _BRANCHES + 1)) if all_branches else (1,),  # 0 is the stem
        )
        first = _WIDENED if widened else int(name.rpartition("w")[2])
        self.channels = first * (2**_BRANCHES - 1) if all_branches else first
        self.all_branches, self.widened = all_branches, widened

    def forward(self, images: Tensor) -> Tensor:
        first, *others = self.model(images)
        size = first.shape[2:]
        enlarged = [functional.interpolate(branch, size, mode="bilinear") for branch in others]
        features: Tensor = torch.cat([first, *enlarged], dim=1) if enlarged else first
        return features

    def prune(self) -> None:
        """Drop the layers that compute the lower resolutions of the last module, if their output is unused."""
        if self.all_branches or self.widened:
            return
        *_, last = cast("nn.Sequential", self.model.stage4)
        last.fuse_layers = cast("nn.ModuleList", last.fuse_layers)[:1]


def build_hrnet(options: Mapping[str, Any]) -> HRNet:
    """Build an HRNet from `model.backbone` of a configuration."""
    name = str(options.get("model_name") or "hrnet_w32")
    if name not in _NAMES:
        raise UnsupportedModelError(f"no HRNet backbone {name!r}: {nearest(name, _NAMES)}")
    return HRNet(
        name,
        all_branches=bool(options.get("interpolate_branches")),
        widened=bool(options.get("increased_channel_count")),
    )
