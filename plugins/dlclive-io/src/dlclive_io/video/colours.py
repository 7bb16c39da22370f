"""From decoded pictures to RGB, in true colours or in those of older OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Colours = Literal["true", "opencv"]

_AS_OPENCV = Interpolation.BICUBIC  # of the colours, which have half the size of the brightness
_FULL_RANGE = "yuvj"  # beginning of the names of pixel formats in full range, which OpenCV knows to be so


class RgbConverter:
    """Converts pictures to (H, W, 3) uint8 RGB.

    Films store brightness and two colour differences; a matrix, BT.601 or BT.709, and a range say how. "true" follows what
    the film says. OpenCV before 4.13 ignores it: it takes every film for BT.601 and, except for JPEG-like formats, for
    limited range. "opencv" does the same.
    """

    def __init__(self, colours: Colours) -> None:
        self._as_opencv = colours == "opencv"
        self._reformatter = VideoReformatter()  # reused: a new one for each frame takes four times as long

    def convert(self, picture: VideoFrame) -> NDArray[np.uint8]:
        """The picture as it is stored, not rotated."""
        if self._as_opencv and not picture.format.is_rgb:
            is_full = picture.format.name.startswith(_FULL_RANGE)
            converted = self._reformatter.reformat(
                picture,
                format="rgb24",
                interpolation=_AS_OPENCV,
                src_colorspace=Colorspace.ITU601,
                src_color_range=ColorRange.JPEG if is_full else ColorRange.MPEG,
            )
        else:
            converted = self._reformatter.reformat(picture, format="rgb24", interpolation=_AS_OPENCV)
        return cast("NDArray[np.uint8]", converted.to_ndarray())
