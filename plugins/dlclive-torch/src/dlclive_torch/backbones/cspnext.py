"""CSPNeXt, the backbone of RTMDet and RTMPose, written from the paper.

Lyu et al. 2022, "RTMDet: an empirical study of designing real-time object detectors" (arXiv 2212.07784). Parameter names
match DeepLabCut's files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dlclive_torch.backbones.base import Backbone

_STAGES = ((64, 128, 3), (128, 256, 6), (256, 512, 6), (512, 1024, 3))
"""Input channels, output channels and blocks of the four stages, before scaling by width and depth."""


class ConvNormAct(nn.Module):
    """Convolution with same padding, batch normalisation, SiLU."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out)  # DeepLabCut uses torch's epsilon of 1e-5, not the 1e-3 of the paper's code
        self.act = nn.SiLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        activated: Tensor = self.act(self.norm(self.conv(x)))
        return activated


class DepthwiseSeparable(nn.Module):
    """A depthwise convolution, then a pointwise one."""

    def __init__(self, channels: int, out: int, kernel: int) -> None:
        super().__init__()
        self.depthwise_conv = ConvNormAct(channels, channels, kernel, groups=channels)
        self.pointwise_conv = ConvNormAct(channels, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.pointwise_conv(self.depthwise_conv(x))
        return mixed


class CSPNeXtBlock(nn.Module):
    """A 3 x 3 convolution and a depthwise separable 5 x 5 one, with or without a skip connection."""

    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(channels, channels, 3)
        self.conv2 = DepthwiseSeparable(channels, channels, 5)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv2(self.conv1(x))
        return out + x if self.shortcut else out


class ChannelAttention(nn.Module):
    """Weights each channel by a gate computed from the means of all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)
        self.gate = nn.Hardsigmoid(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gates(x.mean((2, 3), keepdim=True))

    def gates(self, means: Tensor) -> Tensor:
        """Map the channel means (N, C, 1, 1) to channel weights, 0 to 1."""
        gates: Tensor = self.gate(self.fc(means))
        return gates


class CSPLayer(nn.Module):
    """Cross stage partial layer: half of the channels bypass the blocks; then channel attention and a 1 x 1 convolution."""

    def __init__(self, channels: int, out: int, blocks: int, shortcut: bool) -> None:
        super().__init__()
        half = out // 2
        self.main_conv = ConvNormAct(channels, half, 1)
        self.short_conv = ConvNormAct(channels, half, 1)
        self.final_conv = ConvNormAct(2 * half, out, 1)
        self.blocks = nn.Sequential(*(CSPNeXtBlock(half, shortcut) for _ in range(blocks)))
        self.attention = ChannelAttention(2 * half)

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat((self.blocks(self.main_conv(x)), self.short_conv(x)), dim=1)
        mixed: Tensor = self.final_conv(self.attention(joined))
        return mixed


class PyramidPooling(nn.Module):
    """Spatial pyramid pooling: concatenates the features with their maxima over windows of three sizes."""

    def __init__(self, channels: int, out: int, windows: tuple[int, ...] = (5, 9, 13)) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = ConvNormAct(channels, half, 1)
        self.pools = nn.ModuleList(nn.MaxPool2d(window, stride=1, padding=window // 2) for window in windows)
        self.conv2 = ConvNormAct(half * (len(windows) + 1), out, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        mixed: Tensor = self.conv2(torch.cat([x, *(pool(x) for pool in self.pools)], dim=1))
        return mixed


class CSPNeXt(Backbone):
    """A stem of three convolutions and four stages, each of which halves the resolution; returns the last stage.

    Args:
        widen: factor on the channels, 0.5 for "s", 0.75 for "m", 1.25 for "x".
        deepen: factor on the blocks, 0.33, 0.67, 1.33.
    """

    stride = 32

    def __init__(self, widen: float, deepen: float) -> None:
        super().__init__()
        first = int(_STAGES[0][0] * widen)
        self.stem = nn.Sequential(
            ConvNormAct(3, first // 2, 3, stride=2),
            ConvNormAct(first // 2, first // 2, 3),
            ConvNormAct(first // 2, first, 3),
        )
        for number, (channels, out, blocks) in enumerate(_STAGES, start=1):
            last = number == len(_STAGES)
            setattr(self, f"stage{number}", _stage(int(channels * widen), int(out * widen), blocks, deepen, last))
        self.channels = int(_STAGES[-1][1] * widen)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.stem(images)
        for number in range(1, len(_STAGES) + 1):
            features = getattr(self, f"stage{number}")(features)
        return features


def _stage(channels: int, out: int, blocks: int, deepen: float, last: bool) -> nn.Sequential:
    """A strided convolution, then a CSP layer. The last stage has pooling in between, and no skip connections."""
    layers: list[nn.Module] = [ConvNormAct(channels, out, 3, stride=2)]
    if last:
        layers.append(PyramidPooling(out, out))
    layers.append(CSPLayer(out, out, max(round(blocks * deepen), 1), shortcut=not last))
    return nn.Sequential(*layers)


def build_cspnext(options: Mapping[str, Any]) -> CSPNeXt:
    """Build a CSPNeXt from `model.backbone` of a configuration."""
    return CSPNeXt(float(options.get("widen_factor") or 1.0), float(options.get("deepen_factor") or 1.0))
