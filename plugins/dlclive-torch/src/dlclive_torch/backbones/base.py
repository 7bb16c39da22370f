"""The base class of backbones."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn


class Backbone(nn.Module):
    """From normalised images (N, 3, H, W) to features (N, channels, about H / stride, about W / stride).

    Attributes:
        conditional: whether `forward` also takes conditions: (N, K, 3) float32 keypoints in pixels of the images.
        stride: input pixels per cell of the features.
        channels: channels of the features.
        input_size: (height, width) of the only input size that the backbone supports; None for any.
    """

    conditional: ClassVar[bool] = False
    stride: int
    channels: int
    input_size: tuple[int, int] | None = None

    def __call__(self, images: Tensor, *conditions: Tensor) -> Tensor:
        features: Tensor = super().__call__(images, *conditions)
        return features

    def prune(self) -> None:
        """Drop layers whose weights are in the file but whose output is unused. Called after the weights are loaded."""
