"""HRNet as timm builds it; the branch of the highest resolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import timm
from torch import Tensor, nn

from dlclive_core.errors import UnsupportedModelError, nearest
from dlclive_torch.backbones.base import Backbone

_NAMES = ("hrnet_w18", "hrnet_w32", "hrnet_w48")
"""Only names in this list reach timm: a name in a file could otherwise ask it to download something."""


class HRNet(Backbone):
    """An HRNet without its classifier, giving its highest-resolution branch.

    Wang et al. 2020, "Deep high-resolution representation learning for visual recognition". Its branches are joined
    with each other, so height and width of the input must be multiples of 32.
    """

    stride = 4

    def __init__(self, name: str) -> None:
        super().__init__()
        self.model: nn.Module = timm.create_model(
            name, pretrained=False, features_only=True, feature_location="", out_indices=(1,)
        )
        self.channels = int(name.rpartition("w")[2])

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.model(images)[0]
        return features

    def prune(self) -> None:
        """Drop the layers that make the lower resolutions of the last module."""
        *_, last = cast("nn.Sequential", self.model.stage4)
        last.fuse_layers = cast("nn.ModuleList", last.fuse_layers)[:1]


def build_hrnet(options: Mapping[str, Any]) -> HRNet:
    """Make an HRNet from `model.backbone` of a configuration."""
    name = str(options.get("model_name") or "hrnet_w32")
    if name not in _NAMES:
        raise UnsupportedModelError(f"no HRNet backbone {name!r}: {nearest(name, _NAMES)}")
    for option in ("interpolate_branches", "increased_channel_count"):
        if options.get(option):
            raise UnsupportedModelError(f"HRNet backbones with {option} are not supported; only its highest branch is")
    return HRNet(name)
