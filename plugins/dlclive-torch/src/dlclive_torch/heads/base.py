"""What every head is."""

from __future__ import annotations

from torch import Tensor, nn


class Head(nn.Module):
    """Layers from features to maps, with the decoder that makes keypoints of them.

    `forward` takes features (N, C, h, w) and returns keypoints (N, I, K, 3) float32: x, y in pixels of the network's
    input, and confidence, of I individuals. It must be batched and work in torch.export: no branches on values.

    Attributes:
        stride: pixels of the network's input per cell of the head's maps.
    """

    stride: float

    def __call__(self, features: Tensor) -> Tensor:
        keypoints: Tensor = super().__call__(features)
        return keypoints
