"""Text on a picture: readable on any ground, because it has an outline."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

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


def text_size(picture: NDArray[np.uint8], text: str) -> tuple[int, int]:
    """(width, height) of a text on this picture, in pixels."""
    (width, height), below = cv2.getTextSize(text, _FONT, text_scale(picture), _thickness(picture))
    return width, height + below


def write(picture: NDArray[np.uint8], text: str, x: int, y: int, colour: Colour = WHITE) -> None:
    """Write a text in place, its baseline beginning at (x, y). A text that would end outside begins farther left.

    The outline is made of the letters themselves: thicker letters need not be in the same places.
    """
    width, height = text_size(picture, text)
    x = max(1, min(x, picture.shape[1] - width - 2))
    letters = np.zeros((2 * height + 4, width + 4), np.uint8)
    origin = (2, height + 2)
    cv2.putText(letters, text, origin, _FONT, text_scale(picture), 255, _thickness(picture), cv2.LINE_AA)
    outline = cv2.dilate(letters, np.ones((3, 3), np.uint8))
    left, top = x - origin[0], y - origin[1]
    rows = slice(max(0, top), max(0, min(picture.shape[0], top + letters.shape[0])))
    columns = slice(max(0, left), max(0, min(picture.shape[1], left + letters.shape[1])))
    inside = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    region = picture[rows, columns].astype(np.float32)
    for mask, painted in ((outline, contrasting(colour)), (letters, colour)):
        share = mask[inside][..., None] / np.float32(255)
        region += share * (np.asarray(painted, np.float32) - region)
    picture[rows, columns] = region.round().astype(np.uint8)


def write_beside(
    picture: NDArray[np.uint8], text: str, point: tuple[float, float], radius: int, taken: list[Box]
) -> None:
    """Write a name beside a circle of this radius, where it covers none of the boxes in `taken`; adds its own."""
    width, height = text_size(picture, text)
    x, y, gap = round(point[0]), round(point[1]), radius + 4
    right, left, low = x + gap, x - gap - width, y + height // 3
    places = [(right, low), (left, low), *((side, low + step) for step in (height, -height) for side in (right, left))]
    places += [(x - width // 2, y - gap), (x - width // 2, y + gap + height)]
    boxes = [(px, py - height, px + width, py + height // 3) for px, py in places]
    free = [box for box in boxes if _is_inside(box, picture) and not any(_overlap(box, other) for other in taken)]
    box = (free or boxes)[0]
    taken.append(box)
    write(picture, text, box[0], box[1] + height)


def _is_inside(box: Box, picture: NDArray[np.uint8]) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= picture.shape[1] and box[3] <= picture.shape[0]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _thickness(picture: NDArray[np.uint8]) -> int:
    return max(1, round(text_scale(picture)))


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
