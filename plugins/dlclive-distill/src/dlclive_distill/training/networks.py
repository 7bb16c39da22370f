"""The two networks of a student: a coarse one that finds the animal, and a fine one that finds its keypoints."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

COARSE_STEP = 4
"""The coarse network sees every fourth pixel of every fourth row of the frame."""

COARSE_CELL = 16
"""Pixels of the frame per cell of the coarse network's map."""

CROWD_CELL = 8
"""The same where there are several animals."""

_UNLIKELY = -3.0
"""Initial logit of all cells: few cells hold a keypoint, and the first steps should not be spent on learning that."""


class FineNetwork(nn.Module):
    """Pixels (B, 3, H, W), 0..255, to maps of h x w cells: a small residual network down, and two levels up again.

    Batch normalisations are folded into the convolutions at export.

    Args:
        keypoints: K.
        width: channels of the largest features; twice and four times as many on the levels below.
        halvings: how often the stem halves height and width: a cell is 2 ** (1 + halvings) pixels, and H and W are multiples of
            two cells.
        grid: pixels, a multiple of two cells: the network is told where in a grid of such squares each of its cells lies; None:
            it is not.

    Returns:
        (B, K, h, w) logits of the heatmaps; (B, 2 K, h, w) offsets x0, y0, x1, ... to the keypoint, in cells; and the deepest
        features (B, 4 width, h / 2, w / 2), which have seen the whole window.
    """

    def __init__(self, keypoints: int, width: int, halvings: int, grid: int | None = None) -> None:
        super().__init__()
        self.keypoints = keypoints
        self.features = 4 * width
        widths = [3, *(width // 2 ** (halvings - 1 - level) for level in range(halvings))]
        self.stem = nn.Sequential(*(_convolution(*pair, stride=2) for pair in pairwise(widths)))
        self.grid: nn.Module = nn.Identity() if grid is None else GridPlace(width, grid // 2**halvings)
        self.first = Residual(width)
        self.second = nn.Sequential(_convolution(width, 2 * width, stride=2), Residual(2 * width))
        self.third = nn.Sequential(
            _convolution(2 * width, 4 * width, stride=2), Residual(4 * width), Residual(4 * width)
        )
        self.fourth = nn.Sequential(_convolution(4 * width, 4 * width, stride=2), Residual(4 * width))
        self.gates = ChannelGates(4 * width)
        self.lateral = _convolution(4 * width, 2 * width, kernel=1)
        self.out = _convolution(2 * width, 2 * width)
        self.maps = nn.Conv2d(2 * width, 3 * keypoints, 1)
        nn.init.normal_(self.maps.weight, std=0.01)
        nn.init.zeros_(self.maps.bias)  # type: ignore[arg-type]
        nn.init.constant_(self.maps.bias[:keypoints], _UNLIKELY)  # type: ignore[index]

    def take_over_averaging(self, step: int) -> None:
        """Take pixels of which each `step` x `step` have been averaged so far.

        A convolution of means is one of the pixels, with each weight repeated step x step times and divided by their number.
        """
        if step == 1:
            return
        block = self.stem[0]
        assert isinstance(block, nn.Sequential)
        first = block[0]
        assert isinstance(first, nn.Conv2d)
        assert isinstance(first.padding, tuple)
        size, stride, padding = (step * value[0] for value in (first.kernel_size, first.stride, first.padding))
        merged = nn.Conv2d(first.in_channels, first.out_channels, size, stride, padding, bias=False)
        weights = first.weight.detach().repeat_interleave(step, dim=2).repeat_interleave(step, dim=3)
        merged.weight = nn.Parameter(weights / step**2)
        block[0] = merged

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.second(self.first(self.grid(self.stem(pixels))))
        deep = self.third(features)
        deep = self.gates(_merged(deep, self.fourth(deep)))
        maps = self.maps(self.out(_merged(features, self.lateral(deep))))
        return maps[:, : self.keypoints], maps[:, self.keypoints :], deep


class GridPlace(nn.Module):
    """Features (B, C, h, w) plus values that say where in a grid of side x side cells each cell lies. They are learnt.

    A network with strides answers differently for the same animal a few pixels on, by where it lies in its own cells. One that
    learns from it, and is to answer as it does, has to know that.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.values = nn.Parameter(torch.zeros(1, channels, side, side))

    def forward(self, features: Tensor) -> Tensor:
        rows, columns = (-(-size // self.side) for size in features.shape[-2:])
        placed = self.values.repeat(1, 1, rows, columns)
        return features + placed[:, :, : features.shape[-2], : features.shape[-1]]


class CoarseNetwork(nn.Module):
    """Sampled frames (B, 3, h, w), 0..255, to logits (B, h / 4, w / 4) of the animal's centre."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.fourth = nn.Sequential(_convolution(3, width, stride=2), _convolution(width, 2 * width, stride=2))
        self.eighth = nn.Sequential(_convolution(2 * width, 4 * width, stride=2), _convolution(4 * width, 4 * width))
        self.lateral = _convolution(4 * width, 2 * width, kernel=1)
        self.out = _convolution(2 * width, 2 * width)
        self.map = nn.Conv2d(2 * width, 1, 1)
        nn.init.constant_(self.map.bias, _UNLIKELY)  # type: ignore[arg-type]

    def forward(self, frames: Tensor) -> Tensor:
        fourth = self.fourth(frames)
        logits: Tensor = self.map(self.out(_merged(fourth, self.lateral(self.eighth(fourth)))))
        return logits[:, 0]


class CrowdNetwork(nn.Module):
    """Sampled frames (B, 3, h, w), 0..255, to logits (B, h / 2, w / 2) of several animals' centres.

    Its cells are half as large as those of a `CoarseNetwork`: with larger ones, animals side by side have one peak.
    """

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.second = _convolution(3, width, stride=2)
        self.fourth = _convolution(width, 2 * width, stride=2)
        self.eighth = nn.Sequential(_convolution(2 * width, 4 * width, stride=2), _convolution(4 * width, 4 * width))
        self.lateral = _convolution(4 * width, 2 * width, kernel=1)
        self.middle = _convolution(2 * width, 2 * width)
        self.upper = _convolution(2 * width, width, kernel=1)
        self.out = _convolution(width, 2 * width)
        self.map = nn.Conv2d(2 * width, 1, 1)
        nn.init.constant_(self.map.bias, _UNLIKELY)  # type: ignore[arg-type]

    def forward(self, frames: Tensor) -> Tensor:
        second = self.second(frames)
        fourth = self.fourth(second)
        middle = self.middle(_merged(fourth, self.lateral(self.eighth(fourth))))
        logits: Tensor = self.map(self.out(_merged(second, self.upper(middle))))
        return logits[:, 0]


class ChannelGates(nn.Module):
    """Features (B, C, h, w), each channel weighted by what the means of all channels say of the window (Hu et al., 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        return features * functional.hardsigmoid(self.layer(features.mean((2, 3), keepdim=True)))


class Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = _convolution(channels, channels, activation=False)

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(features + self.second(self.first(features)))


def _convolution(
    inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, activation: bool = True
) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if activation else nn.Sequential(*layers)


def _merged(fine: Tensor, coarse: Tensor) -> Tensor:
    """The sum, after each cell of `coarse` is repeated to the size of `fine`."""
    return functional.relu(fine + functional.interpolate(coarse, size=fine.shape[-2:], mode="nearest"))
