"""Compute single cells of an upsampled map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class CellReader(nn.Module):
    """Computes maps at one cell per keypoint. The maps are the output of one transposed or 1 x 1 convolution.

    With kernel k and stride s, cell y of a transposed convolution's output is the sum over all input cells i with
    0 <= y - s * i < k of the input at i times the weight y - s * i: those are i = floor(y / s) - t with t = 0 ... T - 1,
    T = ceil(k / s), and the weights (y mod s) + s * t. So a cell is a product of T x T input vectors with weights that
    depend only on y mod s and x mod s. The products are the same, summed in a different order, for one cell instead of
    thousands.

    Products and sums are always in float32.

    Args:
        layer: has two output channels for each keypoint, x and y. Its weights are copied.
    """

    def __init__(self, layer: nn.ConvTranspose2d | nn.Conv2d) -> None:
        super().__init__()
        weight = (
            layer.weight.detach() if isinstance(layer, nn.ConvTranspose2d) else layer.weight.detach().transpose(0, 1)
        )
        self.stride = int(layer.stride[0])
        self.taps = -(-weight.shape[2] // self.stride)
        side = self.taps * self.stride
        channels, out = weight.shape[:2]
        padded = functional.pad(weight, (0, side - weight.shape[3], 0, side - weight.shape[2]))
        # (channels, keypoints, x and y, tap, phase, tap, phase) to rows of weights, one for each keypoint and phase
        split = padded.reshape(channels, out // 2, 2, self.taps, self.stride, self.taps, self.stride)
        rows = split.permute(1, 4, 6, 2, 0, 3, 5).reshape(out // 2 * self.stride**2, 2, channels * self.taps**2)
        self.rows: Tensor
        self.bias: Tensor
        self.register_buffer("rows", rows.contiguous())
        bias = torch.zeros(out) if layer.bias is None else layer.bias.detach()
        self.register_buffer("bias", bias.reshape(out // 2, 2).clone())

    def forward(self, features: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Map features (N, C, h, w), and the cells' rows and columns (N, K) int64, to (N, K, 2) float32."""
        height, width = features.shape[2:]
        batch, keypoints = rows.shape
        row, row_phase = self._split(rows)
        column, column_phase = self._split(columns)
        back = torch.arange(self.taps, device=features.device)
        input_rows = (row.unsqueeze(2) - back).unsqueeze(3)  # (N, K, T, 1)
        input_columns = (column.unsqueeze(2) - back).unsqueeze(2)  # (N, K, 1, T)
        inside = (input_rows >= 0) & (input_rows < height) & (input_columns >= 0) & (input_columns < width)
        cells = torch.where(inside, input_rows * width + input_columns, 0).flatten(1)  # (N, K * T * T)
        channels = features.shape[1]
        values = features.flatten(2).gather(2, cells.unsqueeze(1).expand(-1, channels, -1)).to(torch.float32)
        values = values.reshape(batch, channels, keypoints, -1) * inside.flatten(2).unsqueeze(1)
        values = values.transpose(1, 2).reshape(batch, keypoints, -1, 1)  # C * T * T values per keypoint
        first_row = torch.arange(keypoints, device=features.device) * self.stride**2
        weight_rows = (first_row + row_phase * self.stride + column_phase).flatten()
        weights = self.rows.index_select(0, weight_rows).reshape(batch, keypoints, 2, -1).to(torch.float32)
        return torch.matmul(weights, values).squeeze(3) + self.bias.to(torch.float32)

    def _split(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Return floor(y / s), the input cell of an output cell, and y mod s, its phase."""
        if self.stride == 1:
            return cells, torch.zeros_like(cells)
        quotient = torch.div(cells, self.stride, rounding_mode="floor")
        return quotient, cells - quotient * self.stride
