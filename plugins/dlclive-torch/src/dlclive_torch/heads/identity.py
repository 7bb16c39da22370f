"""The identity head, which tells individuals apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dlclive_core import UnsupportedModelError
from dlclive_torch.heads.heatmap import Upsampling, build_upsampling


class IdentityHead(nn.Module):
    """A score map for each individual: how much each location looks like it.

    Lauer et al. 2022, "Multi-animal pose estimation, identification and tracking with DeepLabCut" (Nature Methods 19).

    Args:
        heatmap: the layers.
        stride: pixels of the network's input per cell of the maps.
        apply_sigmoid: the maps hold logits.
    """

    def __init__(self, heatmap: Upsampling, *, stride: float, apply_sigmoid: bool) -> None:
        super().__init__()
        self.heatmap_head = heatmap
        self.stride = stride
        self.apply_sigmoid = apply_sigmoid

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, C, h', w') to score maps (N, J, h, w)."""
        maps: Tensor = self.heatmap_head(features)
        return maps

    def scores(self, maps: Tensor, points: Tensor) -> Tensor:
        """Read the score of each individual at the points.

        The result equals the maps upsampled bilinearly to the network's input and read at the pixel nearest to each point,
        clamped to the border. Only the values at the points are computed.

        Args:
            maps: (N, J, h, w).
            points: (N, K, P, 2 or more), x and y first, in pixels of the network's input; NaN for a missing point.

        Returns:
            (N, K, P, J) float32, 0 for a missing point.
        """
        present = ~torch.isnan(points[..., 0])
        xy = torch.where(present.unsqueeze(3), points[..., :2].to(torch.float32), 0.0).flatten(1, 2)  # (N, K * P, 2)
        left, right, along_x = _neighbours(xy[..., 0], maps.shape[3], self.stride)
        upper, lower, along_y = _neighbours(xy[..., 1], maps.shape[2], self.stride)
        flat = maps.flatten(2).to(torch.float32)
        width = maps.shape[3]

        def look_up(rows: Tensor, columns: Tensor) -> Tensor:
            cells = (rows * width + columns).unsqueeze(1).expand(-1, flat.shape[1], -1)
            return flat.gather(2, cells)  # (N, J, K * P)

        above = look_up(upper, left) * (1 - along_x) + look_up(upper, right) * along_x
        below = look_up(lower, left) * (1 - along_x) + look_up(lower, right) * along_x
        values = (above * (1 - along_y) + below * along_y).transpose(1, 2)
        if self.apply_sigmoid:
            values = values.sigmoid()
        values = values.reshape(points.shape[0], points.shape[1], points.shape[2], -1)
        return torch.where(present.unsqueeze(3), values, 0.0)


def _neighbours(positions: Tensor, length: int, stride: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return the cells before and after each pixel position, and the fraction of the distance between them.

    Pixel p corresponds to (p + 1/2) / stride - 1/2 in the map, clamped to the first and last cell. The fraction has an
    extra axis of length one before its last, for the maps.
    """
    size = torch.full((), length, dtype=torch.float32, device=positions.device)
    pixel = torch.minimum(positions.round().clamp(min=0.0), torch.floor(size * stride) - 1)
    cell = torch.minimum(((pixel + 0.5) / stride - 0.5).clamp(min=0.0), size - 1)
    before = cell.floor()
    after = torch.minimum(before + 1, size - 1)
    return before.to(torch.int64), after.to(torch.int64), (cell - before).unsqueeze(1)


def build_identity_head(options: Mapping[str, Any], feature_stride: int) -> IdentityHead:
    """Build the head from its part of a configuration; `feature_stride` in input pixels per cell."""
    kind = options.get("type")
    if kind != "HeatmapHead":
        raise UnsupportedModelError(f"no identity head {kind!r}: choose HeatmapHead")
    predictor = options.get("predictor") or {}
    if predictor.get("type", "IdentityPredictor") != "IdentityPredictor":
        raise UnsupportedModelError(
            f"no predictor {predictor['type']!r} for an identity head: choose IdentityPredictor"
        )
    heatmap = build_upsampling(options.get("heatmap_config"), "heatmap_config")
    sigmoid = predictor.get("apply_sigmoid")
    return IdentityHead(heatmap, stride=feature_stride / heatmap.scale, apply_sigmoid=sigmoid is None or bool(sigmoid))
