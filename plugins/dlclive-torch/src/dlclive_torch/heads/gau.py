"""The gated attention unit and its normalisation.

Hua et al. 2022, "Transformer quality in linear time" (arXiv 2202.10447).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ScaleNorm(nn.Module):
    """Divides each token by its root mean square, and scales all tokens by one learned number.

    Nguyen and Salazar 2019, "Transformers without tears" (arXiv 1910.05895).
    """

    _SMALLEST = 1e-5

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(1))
        self.channels = channels

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.norm(dim=-1, keepdim=True, dtype=torch.float32)  # squares overflow half precision
        root_mean = (length * self.channels**-0.5).clamp(min=self._SMALLEST)
        return (tokens / root_mean).to(tokens.dtype) * self.g


class ChannelScale(nn.Module):
    """A learned factor for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.scale


class GatedAttentionUnit(nn.Module):
    """Gated self-attention of tokens with a scaled skip connection.

    With z = norm(tokens), [u, v, b] = silu(z W), q = b * gamma_0 + beta_0, k = b * gamma_1 + beta_1:
    out = tokens * scale + (u * (relu(q k^T / sqrt(s))^2 v)) W_o.

    Args:
        channels: channels of the tokens, which are (N, tokens, channels).
        width: s, channels of queries and keys.
        expansion: channels of u and v, in multiples of `channels`.
    """

    def __init__(self, channels: int, width: int, expansion: int) -> None:
        super().__init__()
        self.wide, self.width = channels * expansion, width
        self.ln = ScaleNorm(channels)
        self.uv = nn.Linear(channels, 2 * self.wide + width, bias=False)
        self.gamma = nn.Parameter(torch.ones(2, width))
        self.beta = nn.Parameter(torch.zeros(2, width))
        self.o = nn.Linear(self.wide, channels, bias=False)
        self.res_scale = ChannelScale(channels)

    def forward(self, tokens: Tensor) -> Tensor:
        mixed = functional.silu(self.uv(self.ln(tokens)))
        gate, values, base = torch.split(mixed, [self.wide, self.wide, self.width], dim=2)
        queries = base * self.gamma[0] + self.beta[0]
        keys = base * self.gamma[1] + self.beta[1]
        attention = functional.relu(queries @ keys.transpose(1, 2) / self.width**0.5).square()
        residual: Tensor = self.res_scale(tokens)
        return residual + self.o(gate * (attention @ values))
