"""Text on a picture: readable on any ground, because it has an outline."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_HIGHEST = 0.5  # of the picture: a longer legend is left out, as it would hide the animals
_LEAST_HEIGHT = 100  # pixels: on smaller pictures, text would hide everything


def contrasting(colour: Colour) -> Colour:
    """White for dark colours, black for bright ones."""
    red, green, blue = colour
    return WHITE if 0.299 * red + 0.587 * green + 0.114 * blue < 128 else BLACK


def text_scale(picture: NDArray[np.uint8]) -> float:
    """The scale of OpenCV's font for a picture: larger on larger ones, and never too small to read."""
    return float(np.clip(picture.shape[0] / 1000, 0.35, 1.2))


def write(picture: NDArray[np.uint8], text: str, x: int, y: int, colour: Colour = WHITE) -> None:
    """Write a text in place, its baseline beginning at (x, y). A text that would end outside begins farther left."""
    scale = text_scale(picture)
    width = cv2.getTextSize(text, _FONT, scale, 1)[0][0]
    place = (max(1, min(x, picture.shape[1] - width - 2)), y)
    thin = 1 + round(scale)
    cv2.putText(picture, text, place, _FONT, scale, contrasting(colour), thin + 2, cv2.LINE_AA)
    cv2.putText(picture, text, place, _FONT, scale, colour, thin - 1, cv2.LINE_AA)


def write_legend(picture: NDArray[np.uint8], names: Sequence[str], colours: Sequence[Colour]) -> None:
    """Name the colours at the upper left, if there is room."""
    line = round(34 * text_scale(picture))
    if len(names) * line > _HIGHEST * picture.shape[0]:
        return
    radius = max(2, line // 4)
    for number, (name, colour) in enumerate(zip(names, colours, strict=True)):
        middle = line * number + line // 2 + 3
        dot(picture, (line // 2 + 2, middle), radius, colour)
        write(picture, name, line + 4, middle + line // 4)


def write_caption(picture: NDArray[np.uint8], text: str) -> None:
    """Write a line at the lower left, if there is room."""
    if picture.shape[0] >= _LEAST_HEIGHT:
        write(picture, text, 4, picture.shape[0] - 5)


def dot(picture: NDArray[np.uint8], centre: tuple[int, int], radius: int, colour: Colour, shift: int = 0) -> None:
    """A filled circle with an outline of one pixel in a contrasting colour: no ground hides both.

    Args:
        centre: in pixels, multiplied by 2 to the power of `shift`; `radius` in pixels.
    """
    cv2.circle(picture, centre, (radius + 1) << shift, contrasting(colour), cv2.FILLED, cv2.LINE_8, shift)
    cv2.circle(picture, centre, radius << shift, colour, cv2.FILLED, cv2.LINE_8, shift)
