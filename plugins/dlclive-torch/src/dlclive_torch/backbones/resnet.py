"""ResNet from timm, with group or batch normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import timm
from torch import Tensor

from dlclive_core import UnsupportedModelError, nearest
from dlclive_torch.backbones.base import Backbone

_NAMES = ("resnet50", "resnet50_gn", "resnet101")
"""Only these names reach timm: otherwise a name in a file could trigger a download."""


class ResNet(Backbone):
    """A ResNet without its classifier.

    He et al. 2016, "Deep residual learning for image recognition". With `output_stride` 16 the last stage is dilated
    instead of strided.
    """

    def __init__(self, name: str, output_stride: int) -> None:
        super().__init__()
        self.model = timm.create_model(
            name, pretrained=False, output_stride=output_stride, num_classes=0, global_pool=""
        )
        self.channels = 2048
        self.stride = output_stride

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.model(images)  # the last feature map: the model has no classifier and no pooling
        return features


def build_resnet(options: Mapping[str, Any]) -> ResNet:
    """Build a ResNet from `model.backbone` of a configuration."""
    name = str(options.get("model_name") or "resnet50")
    if name not in _NAMES:
        raise UnsupportedModelError(f"no ResNet backbone {name!r}: {nearest(name, _NAMES)}")
    stride = int(options.get("output_stride") or 32)
    if stride not in (8, 16, 32):
        raise UnsupportedModelError(f"a ResNet has an output stride of 8, 16 or 32, not {stride}")
    return ResNet(name, stride)
