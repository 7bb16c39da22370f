"""Attention directed by a condition, over the positions and the channels of a feature map.

Zhou et al. 2023, "Rethinking pose estimation in crowds: overcoming the detection information bottleneck and ambiguity"
(BUCTD), the conditional attention module (CoAM): the dual attention of Fu et al. 2019, "Dual attention network for
scene segmentation", with queries from the condition, and keys and values from the features. Parameter names match
DeepLabCut's files.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from dlclive_torch.resizing import resize_antialiased


def attend(queries: Tensor, keys: Tensor, values: Tensor, heads: int) -> Tensor:
    """Return softmax(queries keys^T / sqrt(d)) values, for each of `heads` slices of length d of the last axis.

    Vaswani et al. 2017, "Attention is all you need". Computed in float32, because sums over thousands of cells overflow
    half precision.

    Args:
        queries: (N, Q, heads * d).
        keys, values: (N, M, heads * d).

    Returns:
        (N, Q, heads * d), in the type of the values.
    """
    attended = scaled_dot_product_attention(_split(queries, heads), _split(keys, heads), _split(values, heads))
    return attended.transpose(1, 2).flatten(2).to(values.dtype)


def _split(vectors: Tensor, heads: int) -> Tensor:
    """Reshape (N, M, heads * d) to (N, heads, M, d) float32."""
    batch, length, _ = vectors.shape
    return vectors.reshape(batch, length, heads, -1).transpose(1, 2).to(torch.float32)


class Projections(nn.Module):
    """The linear layers of an attention: queries, keys, values and output.

    Args:
        queries: channels of the condition.
        channels: channels of the features, and of each head.
        heads: number of heads.
    """

    def __init__(self, queries: int, channels: int, heads: int) -> None:
        super().__init__()
        self.fc_q = nn.Linear(queries, heads * channels)
        self.fc_k = nn.Linear(channels, heads * channels)
        self.fc_v = nn.Linear(channels, heads * channels)
        self.fc_o = nn.Linear(heads * channels, channels)
        self.heads = heads

    def forward(self, condition: Tensor, features: Tensor) -> Tensor:
        attended = attend(self.fc_q(condition), self.fc_k(features), self.fc_v(features), self.heads)
        mixed: Tensor = self.fc_o(attended)
        return mixed


class OutputProjection(nn.Module):
    """The only linear layer of the channel attention; its vectors are flattened maps."""

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.fc_o = nn.Linear(cells, cells)


class PositionAttention(nn.Module):
    """Each cell of the condition attends to all cells of the features."""

    def __init__(self, channels: int, condition: int, heads: int) -> None:
        super().__init__()
        self.cnn = nn.Conv2d(channels, channels, 3, padding=1)
        self.cnn_cond = nn.Conv2d(condition, condition, 3, padding=1)
        self.pa = Projections(condition, channels, heads)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        cells = self.cnn(features).flatten(2).transpose(1, 2)  # (N, h * w, channels)
        queries = self.cnn_cond(condition).flatten(2).transpose(1, 2)
        return self.pa(queries, cells).transpose(1, 2).reshape(features.shape)


class ChannelAttention(nn.Module):
    """Each channel computed from the condition attends to all channels of the features; heads divide the map."""

    def __init__(self, channels: int, condition: int, cells: int, heads: int) -> None:
        super().__init__()
        self.cnn = nn.Conv2d(channels, channels, 3, padding=1)
        self.cnn_cond = nn.Conv2d(condition, channels, 3, padding=1)
        self.pa = OutputProjection(cells)
        self.heads = heads

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        maps = self.cnn(features).flatten(2)  # (N, channels, h * w)
        attended = attend(self.cnn_cond(condition).flatten(2), maps, maps, self.heads)
        return self.pa.fc_o(attended).reshape(features.shape)


class ConditionalAttention(nn.Module):
    """Adds position and channel attention to the features, or multiplies the features by channel attention alone.

    Args:
        channels: channels of the features.
        condition: channels of the condition.
        size: (height, width) of the features.
        heads: heads of each attention.
        channels_only: omit the position attention.
    """

    def __init__(
        self, channels: int, condition: int, size: tuple[int, int], heads: int, *, channels_only: bool
    ) -> None:
        super().__init__()
        self.size = size
        self.position_attention_module = None if channels_only else PositionAttention(channels, condition, heads)
        self.channel_attention_module = ChannelAttention(channels, condition, size[0] * size[1], heads)

    def forward(self, features: Tensor, picture: Tensor) -> Tensor:
        # DeepLabCut swaps height and width here. Its networks were trained that way, so we do the same; it only matters
        # if the input is not square.
        height, width = self.size
        condition = resize_antialiased(picture, width, height)
        channel_attention: Tensor = self.channel_attention_module(features, condition)
        if self.position_attention_module is None:
            return features * channel_attention
        return features + (self.position_attention_module(features, condition) + channel_attention)


class BranchAttention(nn.Module):
    """One attention for each branch of an HRNet."""

    def __init__(self, attentions: list[ConditionalAttention]) -> None:
        super().__init__()
        self.att_layers = nn.ModuleList(attentions)

    def forward(self, branches: list[Tensor], picture: Tensor) -> list[Tensor]:
        return [layer(branch, picture) for layer, branch in zip(self.att_layers, branches, strict=True)]
