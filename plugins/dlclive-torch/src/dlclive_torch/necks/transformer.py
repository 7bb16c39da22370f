"""The transformer of TokenPose: from features to a token for each keypoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dlclive_core import UnsupportedModelError
from dlclive_torch.necks.attention import transformer_layer

_STAGES = 3


class Transformer(nn.Module):
    """Patches of the features (N, C, h, w) and learned tokens, one per keypoint, attend to each other in three stages.

    Li et al. 2021, "TokenPose: learning keypoint tokens for human pose estimation" (arXiv 2104.03516). Concatenates the
    keypoint tokens after each stage: (N, K, 3 * channels). The size of the features is fixed.

    Args:
        feature_size: (height, width) of the features.
        patch_size: (height, width) of a patch, in cells.
        features: channels of the features.
        keypoints: number of keypoints.
        channels: channels of a token.
        depth: layers of a stage.
        heads: heads of the attention.
        hidden: hidden channels of the feed-forward networks.
    """

    def __init__(
        self,
        *,
        feature_size: tuple[int, int],
        patch_size: tuple[int, int],
        features: int,
        keypoints: int,
        channels: int,
        depth: int,
        heads: int,
        hidden: int,
    ) -> None:
        super().__init__()
        self.patches = feature_size[0] // patch_size[0], feature_size[1] // patch_size[1]
        self.patch_size, self.keypoints = patch_size, keypoints
        self.keypoint_token = nn.Parameter(torch.zeros(1, keypoints, channels))
        self.pos_embedding = nn.Parameter(torch.zeros(1, self.patches[0] * self.patches[1], channels))
        self.patch_to_embedding = nn.Linear(features * patch_size[0] * patch_size[1], channels)
        for number in range(1, _STAGES + 1):
            stage = nn.Module()
            stage.layers = nn.ModuleList(transformer_layer(channels, heads, hidden) for _ in range(depth))
            setattr(self, f"transformer{number}", stage)

    def forward(self, features: Tensor) -> Tensor:
        embedded = self.patch_to_embedding(self._patches(features)) + self.pos_embedding
        tokens = torch.cat([self.keypoint_token.expand(features.shape[0], -1, -1), embedded], dim=1)
        no_position = torch.zeros_like(self.keypoint_token)
        positions = torch.cat([no_position, self.pos_embedding], dim=1)
        stage_tokens = []
        for number in range(1, _STAGES + 1):
            for index, layer in enumerate(getattr(self, f"transformer{number}").layers):
                if number > 1 and index:  # the later stages add the positions again before every layer but the first
                    tokens = tokens + positions
                tokens = layer(tokens)
            stage_tokens.append(tokens[:, : self.keypoints])
        return torch.cat(stage_tokens, dim=2)

    def _patches(self, features: Tensor) -> Tensor:
        """Reshape (N, C, h, w) to (N, patches, rows of a patch x columns of a patch x C)."""
        (down, across), (height, width) = self.patches, self.patch_size
        cut = features.reshape(features.shape[0], features.shape[1], down, height, across, width)
        return cut.permute(0, 2, 4, 3, 5, 1).reshape(features.shape[0], down * across, -1)


def build_transformer(options: Mapping[str, Any]) -> Transformer:
    """Build the neck from `model.neck` of a configuration."""
    positions = options.get("pos_embedding_type") or "sine-full"
    if positions != "sine-full":
        raise UnsupportedModelError(f"no pos_embedding_type {positions!r} for a Transformer: choose sine-full")
    size, patch = options["feature_size"], options["patch_size"]
    channels, heads = int(options["dim"]), int(options["heads"])
    if size[0] % patch[0] or size[1] % patch[1] or channels % heads:
        raise UnsupportedModelError(
            f"a Transformer with feature_size {size}, patch_size {patch}, heads {heads} and dim {channels} is not supported: "
            "feature_size must be a multiple of patch_size, and dim of heads"
        )
    return Transformer(
        feature_size=(int(size[0]), int(size[1])),
        patch_size=(int(patch[0]), int(patch[1])),
        features=int(options.get("channels") or 32),
        keypoints=int(options["num_keypoints"]),
        channels=channels,
        depth=int(options["depth"]),
        heads=heads,
        hidden=int(options.get("mlp_dim") or 3),
    )
