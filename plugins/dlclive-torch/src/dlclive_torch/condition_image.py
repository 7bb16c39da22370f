"""The condition image: draws known keypoints for a network that refines them.

Zhou et al. 2023, "Rethinking pose estimation in crowds: overcoming the detection information bottleneck and ambiguity"
(BUCTD). Each keypoint is a point blurred by a Gaussian. A Gaussian is separable, so each keypoint is the outer product of
two lines, and no pixel is drawn individually.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dlclive_core import UnsupportedModelError
from dlclive_torch.gaussian import gaussian_taps
from dlclive_torch.rainbow import rainbow

BRIGHTEST = 255.0
"""The maximum of the picture. It is not divided by 255 before it enters a network."""


class ConditionImage(nn.Module, ABC):
    """Draws conditions (N, K, 3) in pixels of the network's input as pictures (N, channels, H, W) float32, 0..255.

    A keypoint is drawn if its confidence is above 0 and it is inside the picture, edges included: 0 <= x <= width, and
    the same for y. NaN is not drawn. The pixel is (x - 1, y - 1), rounded down; a keypoint in the first pixel (x < 1)
    is drawn at the opposite edge. DeepLabCut's networks were trained this way. The blur reflects at the edges (101), and
    the picture is scaled so that the maximum of all channels is 255.

    Args:
        keypoints: K.
        kernel: (width, height) of the Gaussian in pixels, odd numbers.
        size: (height, width). Keypoints beyond it are not drawn, even if the input is larger.
    """

    channels: int

    def __init__(self, keypoints: int, kernel: tuple[int, int], size: tuple[int, int]) -> None:
        super().__init__()
        self.keypoints = keypoints
        self.size = size
        self.column_taps: Tensor
        self.row_taps: Tensor
        self.register_buffer("column_taps", torch.tensor([*gaussian_taps(kernel[0]), 0.0]), persistent=False)
        self.register_buffer("row_taps", torch.tensor([*gaussian_taps(kernel[1]), 0.0]), persistent=False)

    def forward(self, conditions: Tensor, height: int, width: int) -> Tensor:
        x, y, confidence = conditions.to(torch.float32).unbind(dim=2)
        drawn = (confidence > 0) & (x >= 0) & (y >= 0) & (x <= self.size[1]) & (y <= self.size[0])
        drawn = drawn & (x < width + 1) & (y < height + 1)
        column, row = _pixel(x, drawn, width), _pixel(y, drawn, height)
        columns = _blurred(column, width, self.column_taps)
        rows = _blurred(row, height, self.row_taps)
        picture = self.paint(rows, columns, self.seen(row, column, drawn).to(torch.float32))
        brightest = picture.amax(dim=(1, 2, 3), keepdim=True)
        return picture * torch.where(brightest > 0, BRIGHTEST / brightest.clamp(min=1e-12), 0.0)

    def seen(self, row: Tensor, column: Tensor, drawn: Tensor) -> Tensor:
        """Return which of the drawn keypoints (N, K) are not painted over."""
        return drawn

    @abstractmethod
    def paint(self, rows: Tensor, columns: Tensor, seen: Tensor) -> Tensor:
        """Combine rows (N, K, H) and columns (N, K, W) of the visible keypoints: `seen` (N, K) is 1 for visible, else 0."""


class StackedConditions(ConditionImage):
    """A channel for each keypoint."""

    def __init__(self, keypoints: int, kernel: tuple[int, int], size: tuple[int, int]) -> None:
        super().__init__(keypoints, kernel, size)
        self.channels = keypoints

    def paint(self, rows: Tensor, columns: Tensor, seen: Tensor) -> Tensor:
        return (rows * seen.unsqueeze(2)).unsqueeze(3) * columns.unsqueeze(2)


class ColouredConditions(ConditionImage):
    """Three channels, and a colour for each keypoint; if several are in one pixel, the last one is painted.

    Args:
        colours: (K, 3), 0..255.
    """

    channels = 3

    def __init__(self, colours: Sequence[Sequence[float]], kernel: tuple[int, int], size: tuple[int, int]) -> None:
        super().__init__(len(colours), kernel, size)
        self.colours: Tensor
        self.register_buffer("colours", torch.tensor(colours, dtype=torch.float32), persistent=False)

    def seen(self, row: Tensor, column: Tensor, drawn: Tensor) -> Tensor:
        order = torch.arange(self.keypoints, device=drawn.device)
        later = order.unsqueeze(1) < order
        same = (row.unsqueeze(2) == row.unsqueeze(1)) & (column.unsqueeze(2) == column.unsqueeze(1))
        return drawn & ~(same & later & drawn.unsqueeze(1)).any(dim=2)

    def paint(self, rows: Tensor, columns: Tensor, seen: Tensor) -> Tensor:
        weights = self.colours.to(torch.float32).transpose(0, 1) * seen.unsqueeze(1)  # (N, 3, K)
        return torch.matmul((rows.unsqueeze(1) * weights.unsqueeze(3)).transpose(2, 3), columns.unsqueeze(1))


def _pixel(position: Tensor, drawn: Tensor, length: int) -> Tensor:
    """Return the pixel of each position as an integer in float32; 0 if the keypoint is not drawn."""
    pixel = torch.where(drawn, position, 1.0).floor() - 1.0
    return torch.where(pixel < 0, pixel + length, pixel)


def _blurred(pixel: Tensor, length: int, taps: Tensor) -> Tensor:
    """Map pixels (N, K) to lines (N, K, length): the taps around each pixel, and the taps reflected at the edges."""
    positions = torch.arange(length, device=pixel.device, dtype=torch.float32)
    pixel = pixel.unsqueeze(2)
    beyond = float(len(taps))  # farther than any tap: selects the zero at their end
    last = length - 1
    near = (positions - pixel).abs()
    left = torch.where(pixel > 0, positions + pixel, beyond)
    right = torch.where(pixel < last, 2 * last - pixel - positions, beyond)
    taps = taps.to(torch.float32)
    return _tap(taps, near) + _tap(taps, left) + _tap(taps, right)


def _tap(taps: Tensor, distance: Tensor) -> Tensor:
    return taps[distance.clamp(max=len(taps) - 1).to(torch.int64)]


def build_condition_image(options: Any, size: tuple[int, int] = (256, 256)) -> ConditionImage:
    """Build the condition image from `kpt_encoder` of a configuration.

    Args:
        options: the mapping.
        size: (height, width), if the configuration has none.

    Raises:
        UnsupportedModelError: the encoder is not one of DeepLabCut's.
    """
    if not isinstance(options, Mapping):
        raise UnsupportedModelError(f"a conditional network needs a kpt_encoder with a type, not {options!r}")
    keypoints = int(options["num_joints"])
    width, height = options.get("kernel_size") or (15, 15)
    kernel = (int(width), int(height))
    height, width = options.get("img_size") or size
    size = (int(height), int(width))
    if min(kernel) < 1 or any(length % 2 == 0 for length in kernel):
        raise UnsupportedModelError(f"the kernel_size of a kpt_encoder must be two odd numbers, not {kernel}")
    if options.get("type") == "StackedKeypointEncoder":
        return StackedConditions(keypoints, kernel, size)
    if options.get("type") == "ColoredKeypointEncoder":
        return ColouredConditions(_colours(options.get("colors"), keypoints), kernel, size)
    raise UnsupportedModelError(
        f"no kpt_encoder {options.get('type')!r}: choose StackedKeypointEncoder or ColoredKeypointEncoder"
    )


def _colours(option: Any, keypoints: int) -> list[tuple[float, ...]]:
    if option is None:
        return rainbow(keypoints)
    colours = [tuple(float(value) for value in colour) for colour in option]
    if len(colours) != keypoints or any(len(colour) != 3 for colour in colours):
        raise UnsupportedModelError(
            f"a kpt_encoder for {keypoints} keypoints needs {keypoints} colours of three values"
        )
    return colours
