"""Adaptive convolutions: the features determine the sampling points, for several keypoints at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_POINTS = 9
"""Sampling points of a 3 x 3 convolution."""


class AdaptiveBlock(nn.Module):
    """A residual block: a 3 x 3 convolution whose nine sampling points are moved by an affine map.

    Geng et al. 2021, "Bottom-up human pose estimation via disentangled keypoint regression" (arXiv 2104.02300): two
    convolutions predict a matrix A and a shift t for each cell p. R holds the nine sampling points of a 3 x 3 convolution
    about 0, rows y and x. The features are sampled at p + A R + t, bilinearly between cells and 0 outside the map, then
    weighted and summed.

    Args:
        channels: channels of the features of one group.
        groups: number of parallel convolutions, each on its own channels.
    """

    def __init__(self, channels: int, groups: int = 1) -> None:
        super().__init__()
        wide = channels * groups
        self.channels, self.groups = channels, groups
        self.regular_matrix: Tensor
        self.register_buffer("regular_matrix", _regular().repeat(groups, 1))
        self.transform_matrix_conv = nn.Conv2d(wide, 4 * groups, 3, padding=1, groups=groups)
        self.translation_conv = nn.Conv2d(wide, 2 * groups, 3, padding=1, groups=groups)
        self.adapt_conv = nn.Conv2d(wide, wide, 3, padding=1, groups=groups, bias=False)  # its weights; see forward
        self.bn = nn.BatchNorm2d(wide)

    def forward(self, features: Tensor) -> Tensor:
        samples = self._sample(features, *self._sampling_points(features)).to(features.dtype)
        weight = self.adapt_conv.weight.flatten(1)[:, :, None, None]  # channels of a group x 9, the order of `samples`
        summed = functional.conv2d(samples, weight, self.adapt_conv.bias, groups=self.groups)
        out: Tensor = self.bn(summed) + features
        return functional.relu(out)

    def _sampling_points(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the rows and columns (N, groups, 9, h, w) to sample for each cell, in float32."""
        height, width = features.shape[2:]
        matrix = torch.unflatten(self.transform_matrix_conv(features), 1, (self.groups, 2, 2, 1)).to(torch.float32)
        shift = torch.unflatten(self.translation_conv(features), 1, (self.groups, 2, 1)).to(torch.float32)
        regular = self.regular_matrix.to(torch.float32).view(self.groups, 2, _POINTS)
        # The offsets of a deformable convolution, A R - R + t, are relative to its own grid; the R in the file may differ.
        correction = _regular().to(regular) - regular
        # moved[n, g, i, p] = sum over j of matrix[n, g, i, j] * regular[g, j, p], for all cells
        moved = (matrix * regular[None, :, None, :, :, None, None]).sum(dim=3)
        points = moved + correction[None, :, :, :, None, None] + shift
        rows = torch.arange(height, device=features.device, dtype=torch.float32).view(-1, 1)
        columns = torch.arange(width, device=features.device, dtype=torch.float32)
        return points[:, :, 0] + rows, points[:, :, 1] + columns

    def _sample(self, features: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Sample the features at these points: (N, groups x channels x 9, h, w) in float32."""
        height, width = features.shape[2:]
        # -1 and 1 are the outer edges of the map: the centre of cell c is at (2 c + 1) / size - 1.
        grid = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], dim=-1)
        grid = grid.flatten(2, 3).flatten(0, 1)  # (N x groups, 9 x h, w, 2)
        maps = torch.unflatten(features, 1, (self.groups, self.channels)).flatten(0, 1).to(torch.float32)
        samples = functional.grid_sample(maps, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        samples = torch.unflatten(
            torch.unflatten(samples, 2, (_POINTS, height)), 0, (-1, self.groups)
        )  # (N, groups, channels, 9, h, w)
        return samples.flatten(1, 3)


def join_blocks(blocks: Sequence[AdaptiveBlock]) -> AdaptiveBlock:
    """Join blocks into one grouped block, in eval mode. Each group keeps its own channels."""
    joined = AdaptiveBlock(blocks[0].channels, groups=len(blocks)).eval()
    states = [block.state_dict() for block in blocks]
    counters = {name for name in states[0] if name.endswith("num_batches_tracked")}
    joined.load_state_dict(
        {
            name: states[0][name] if name in counters else torch.cat([state[name] for state in states])
            for name in states[0]
        }
    )
    return joined


def _regular() -> Tensor:
    """(2, 9): rows and columns of the sampling points of a 3 x 3 convolution."""
    steps = torch.arange(-1.0, 2.0)
    return torch.stack([steps.repeat_interleave(3), steps.repeat(3)])
