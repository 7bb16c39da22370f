"""DLCRNet: a ResNet that concatenates features of its first stages with its last stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import timm
import torch
from torch import Tensor, nn

from dlclive_core import UnsupportedModelError, nearest
from dlclive_torch.backbones.base import Backbone
from dlclive_torch.resizing import resize_antialiased

_NAMES = ("resnet50", "resnet50_gn", "resnet101")
"""Only these names reach timm: otherwise a name in a file could trigger a download."""

_FINE, _MIDDLE, _COARSE, _BANK = 256, 512, 2048, 128
"""Channels of a ResNet's first, second and last stage, and of each of the two banks computed from the first two."""

_MIDDLE_BLOCKS = 3
"""The second bank uses the output of the third block of the second stage; a ResNet-50 has a fourth block after it."""


class DLCRNet(Backbone):
    """A ResNet, and two banks of features from its first two stages, resized to the last stage.

    Lauer et al. 2022, "Multi-animal pose estimation, identification and tracking with DeepLabCut" (Nature Methods 19).
    Channel order: bank of the first stage, bank of the second stage, last stage.

    Args:
        name: timm's name of the ResNet.
        output_stride: 16 dilates the last stage instead of striding it.
    """

    channels = 2 * _BANK + _COARSE

    def __init__(self, name: str, output_stride: int) -> None:
        super().__init__()
        self.model: Any = timm.create_model(
            name, pretrained=False, output_stride=output_stride, num_classes=0, global_pool=""
        )
        self.stride = output_stride
        self.conv_block1 = _halving(_MIDDLE, _MIDDLE)
        self.conv_block2 = _mixing(_MIDDLE, _BANK)
        self.conv_block3 = _halving(_FINE, _FINE)
        self.conv_block4 = _halving(_FINE, _FINE)
        self.conv_block5 = _mixing(_FINE, _BANK)

    def forward(self, images: Tensor) -> Tensor:
        stem: Tensor = self.model.maxpool(self.model.act1(self.model.bn1(self.model.conv1(images))))
        fine: Tensor = self.model.layer1(stem)
        middle: Tensor = self.model.layer2[:_MIDDLE_BLOCKS](fine)
        coarse: Tensor = self.model.layer4(self.model.layer3(self.model.layer2[_MIDDLE_BLOCKS:](middle)))
        height, width = coarse.shape[2:]
        banks = (
            self.conv_block5(self.conv_block4(self.conv_block3(fine))),
            self.conv_block2(self.conv_block1(middle)),
        )
        return torch.cat([*(resize_antialiased(bank, height, width) for bank in banks), coarse], dim=1)


def _halving(channels: int, out: int) -> nn.Sequential:
    """A convolution that halves the resolution. It has no padding, so it drops the border."""
    return nn.Sequential(nn.Conv2d(channels, out, 3, 2), nn.BatchNorm2d(out), nn.ReLU())


def _mixing(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, 1), nn.BatchNorm2d(out), nn.ReLU())


def build_dlcrnet(options: Mapping[str, Any]) -> DLCRNet:
    """Build a DLCRNet from `model.backbone` of a configuration."""
    name = str(options.get("model_name") or "resnet50")
    if name not in _NAMES:
        raise UnsupportedModelError(f"no ResNet inside a DLCRNet {name!r}: {nearest(name, _NAMES)}")
    stride = int(options.get("output_stride") or 32)
    if stride not in (16, 32):
        raise UnsupportedModelError(f"a DLCRNet has an output stride of 16 or 32, not {stride}")
    return DLCRNet(name, stride)
