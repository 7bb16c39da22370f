"""CondPreNet: two small networks mix a condition into the image before any backbone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn

from dlclive_core import UnsupportedModelError
from dlclive_torch.backbones.base import Backbone
from dlclive_torch.backbones.cspnext import build_cspnext
from dlclive_torch.backbones.hrnet import build_hrnet
from dlclive_torch.backbones.resnet import build_resnet
from dlclive_torch.condition_image import ConditionImage, build_condition_image

_INNER: Mapping[str, Callable[[Mapping[str, Any]], Backbone]] = MappingProxyType(
    {"ResNet": build_resnet, "HRNet": build_hrnet, "CSPNeXt": build_cspnext}
)

_HIDDEN = 64
"""Channels between the two convolutions on the image."""


class CondPreNet(Backbone):
    """Convolves the image and the condition image to three channels each, adds them, and runs a backbone on the sum.

    Zhou et al. 2023, "Rethinking pose estimation in crowds: overcoming the detection information bottleneck and
    ambiguity", the variant "preNet". Only normalisations separate the convolutions.
    """

    conditional = True

    def __init__(self, backbone: Backbone, picture: ConditionImage) -> None:
        super().__init__()
        self.picture = picture
        self.rgb_preNet = nn.Sequential(
            nn.Conv2d(3, _HIDDEN, 3, padding=1),
            nn.BatchNorm2d(_HIDDEN),
            nn.Conv2d(_HIDDEN, 3, 7, padding=3),
            nn.BatchNorm2d(3),
        )
        self.cond_preNet = nn.Sequential(nn.Conv2d(picture.channels, 3, 7, padding=3), nn.BatchNorm2d(3))
        self.backbone = backbone
        self.stride = backbone.stride
        self.channels = backbone.channels
        self.input_size = backbone.input_size

    def forward(self, images: Tensor, conditions: Tensor) -> Tensor:
        picture = self.picture(conditions, images.shape[2], images.shape[3]).to(images.dtype)
        mixed = self.rgb_preNet(images) + self.cond_preNet(picture)
        return self.backbone(mixed.contiguous())  # needed to trace with a dynamic size

    def prune(self) -> None:
        """Drop the unused layers of the backbone."""
        self.backbone.prune()


def build_cond_prenet(options: Mapping[str, Any]) -> CondPreNet:
    """Build a CondPreNet from `model.backbone` of a configuration."""
    inner = options.get("backbone")
    name = inner.get("type") if isinstance(inner, Mapping) else inner
    if not isinstance(inner, Mapping) or name not in _INNER:
        raise UnsupportedModelError(f"no backbone {name!r} in a CondPreNet: choose from {', '.join(_INNER)}")
    height, width = options.get("img_size") or (256, 256)
    return CondPreNet(_INNER[str(name)](inner), build_condition_image(options.get("kpt_encoder"), (height, width)))
