"""What every backbone is."""

from __future__ import annotations

from torch import Tensor, nn


class Backbone(nn.Module):
    """From normalised images (N, 3, H, W) to features (N, channels, about H / stride, about W / stride).

    Attributes:
        stride: input pixels per cell of the features.
        channels: of the features.
    """

    stride: int
    channels: int

    def __call__(self, images: Tensor) -> Tensor:
        features: Tensor = super().__call__(images)
        return features

    def prune(self) -> None:
        """Drop layers whose weights the file holds but whose output nobody uses. Called after the weights are in."""
