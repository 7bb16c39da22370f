"""The layers of a transformer: self-attention, and a feed-forward network on each token (Vaswani et al. 2017)."""

from __future__ import annotations

from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head self-attention of tokens.

    softmax(q k^T / sqrt(channels / heads)) v, in several heads, each with its share of the channels.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (channels // heads) ** -0.5
        self.to_qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.to_out = nn.Sequential(nn.Linear(channels, channels))

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, channels = tokens.shape
        split = self.to_qkv(tokens).reshape(batch, count, 3, self.heads, channels // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)  # (N, heads, tokens, channels of a head)
        weights = (queries @ keys.transpose(2, 3) * self.scale).softmax(dim=3)
        mixed: Tensor = self.to_out((weights @ values).transpose(1, 2).reshape(batch, count, channels))
        return mixed


class FeedForward(nn.Module):
    """Two linear layers, applied to each token separately."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        # Indices 2 and 4 were dropout, which has no weights: the file has net.0 and net.3.
        self.net = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Identity(), nn.Linear(hidden, channels), nn.Identity()
        )

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.net(tokens)
        return out


class Normalised(nn.Module):
    """Applies a layer to normalised tokens."""

    def __init__(self, channels: int, layer: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.fn = layer

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.fn(self.norm(tokens))
        return out


class Residual(nn.Module):
    """A layer with a skip connection."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.fn = layer

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.fn(tokens)
        return out + tokens


def transformer_layer(channels: int, heads: int, hidden: int) -> nn.Sequential:
    """Attention, then a feed-forward network, each on normalised tokens and with a skip connection."""
    return nn.Sequential(
        Residual(Normalised(channels, Attention(channels, heads))),
        Residual(Normalised(channels, FeedForward(channels, hidden))),
    )
