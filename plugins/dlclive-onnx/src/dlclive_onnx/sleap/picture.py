"""From the bytes that a program sends to the picture that a dlclive graph takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_onnx.sleap.nodes import Nodes

_GREY = (4899, 9617, 1868)
"""Shares of red, green and blue in grey, in 1 / 16384: ITU-R BT.601, as in OpenCV's conversion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLayout:
    """How a program fills the input `image`, whose shape is (B, C, H, W).

    Attributes:
        channels: C that the program sends: 1 (grey) or 3.
        interleaved: the bytes are (B, H, W, C), whatever the shape says. Bonsai.Sleap copies a frame as OpenCV stores it into
            the memory of a tensor of shape (B, C, H, W). With one channel there is no difference.
        blue_first: the order of colours is blue, green, red.
        any_channels: the program also sends frames of the other number of channels.
    """

    channels: int
    interleaved: bool
    blue_first: bool
    any_channels: bool = False

    @property
    def dimension(self) -> int | str:
        """C in the model's file."""
        return "channels" if self.any_channels else self.channels


def read_picture(nodes: Nodes, image: str, layout: PictureLayout) -> str:
    """(B, C, H, W) as the program fills it -> (B, H, W, 3) uint8 RGB. A grey picture has three equal colours."""
    shape = nodes("Shape", image)
    if layout.interleaved:
        last = nodes("Reshape", image, nodes("Gather", shape, np.array([0, 2, 3, 1])))
    else:
        last = nodes("Transpose", image, perm=[0, 2, 3, 1])
    order = np.array([2, 1, 0] if layout.blue_first else [0, 1, 2])
    highest = nodes("Sub", nodes("Gather", shape, np.array([1])), np.array([1]))
    return nodes("Gather", last, nodes("Min", order, highest), axis=3)


def send_picture(image: NDArray[np.uint8], layout: PictureLayout) -> NDArray[np.uint8]:
    """What a program sends for an (H, W, 3) uint8 RGB frame: (1, C, H, W)."""
    height, width = image.shape[:2]
    pixels = grey(image)[..., :1] if layout.channels == 1 else image[..., ::-1] if layout.blue_first else image
    if not layout.interleaved:
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
    return np.ascontiguousarray(pixels).reshape(1, layout.channels, height, width)


def grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An (H, W, 3) uint8 RGB picture without its colours."""
    sums = image.astype(np.int32) @ np.array(_GREY)
    return np.repeat(((sums + 8192) >> 14).astype(np.uint8)[..., None], 3, axis=2)
