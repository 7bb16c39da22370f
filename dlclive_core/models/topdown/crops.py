"""Crops of a frame at the size of a network's input, and the exact transform of each back to the frame.

The geometry is that of DeepLabCut 3's top-down preprocessing, so that a network sees the crops that it was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.errors import DependencyError, UsageError
from dlclive_core.machine.known_packages import INSTALL_RESIZE
from dlclive_core.regions import CropTransform

Image = NDArray[np.uint8]
_Rectangle = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CropRules:
    """How a box becomes a network's input.

    Attributes:
        shape: (height, width) of the input in pixels, as in `ModelCard.input_size`.
        margin: pixels added on each side of the box first.
        context: True: the shorter side of the box grows to the input's aspect ratio, which shows the surroundings. False: what
            is added is black.
    """

    shape: tuple[int, int]
    margin: float = 0.0
    context: bool = True


def cut_boxes(
    image: Image, boxes: NDArray[np.floating], rules: CropRules
) -> tuple[NDArray[np.uint8], list[CropTransform]]:
    """Crop every box from an image and resize it.

    A box first gets the margin, then its shorter side grows around its centre to the ratio of the input; the corners are
    rounded to whole pixels (half to even); what lies outside the image is black; the rest is a bilinear resize without
    smoothing (OpenCV's INTER_LINEAR). A box of exactly the input's size is passed on unchanged.

    Args:
        image: (H, W, 3) uint8 RGB.
        boxes: (N, 4 or more) x1, y1, x2, y2 in pixels.

    Returns:
        (N, h, w, 3) uint8, and the transform of each crop to the image.
    """
    height, width = rules.shape
    crops = np.empty((len(boxes), height, width, 3), dtype=np.uint8)
    transforms = []
    for crop, box in zip(crops, boxes, strict=True):
        shown, whole = _rectangles(box, rules, image.shape[:2])
        part = _cut(image, shown, whole)
        crop[:] = part if part.shape[:2] == rules.shape else _resize(part, rules.shape)
        x1, y1, x2, y2 = whole
        transforms.append(CropTransform((float(x1), float(y1)), ((x2 - x1) / width, (y2 - y1) / height)))
    return crops, transforms


def _rectangles(box: NDArray[np.floating], rules: CropRules, frame: tuple[int, ...]) -> tuple[_Rectangle, _Rectangle]:
    """The part of a crop that shows the box, and the full crop; the rest is black."""
    x1, y1, x2, y2 = (float(value) for value in box[:4])
    if not (np.isfinite(box[:4]).all() and x2 > x1 and y2 > y1):
        raise UsageError(f"a box must be x1, y1, x2, y2 in pixels with x1 < x2 and y1 < y2; got {[x1, y1, x2, y2]}")
    x1, y1, x2, y2 = x1 - rules.margin, y1 - rules.margin, x2 + rules.margin, y2 + rules.margin
    ratio = rules.shape[1] / rules.shape[0]
    if rules.context:
        wide, high = x2 - x1, y2 - y1
        beside, below = max(0.0, high * ratio - wide) / 2, max(0.0, wide / ratio - high) / 2
        whole = _rounded(x1 - beside, y1 - below, x2 + beside, y2 + below)
        return whole, whole
    left, top, right, bottom = shown = _rounded(x1, y1, x2, y2)
    # The part of the box that lies in the image decides how much is added. For inputs that are not square DeepLabCut adds
    # the missing height where width is missing and the reverse; networks were trained on such crops, so this does the same.
    width = max(0, min(right, frame[1]) - max(left, 0))
    height = max(0, min(bottom, frame[0]) - max(top, 0))
    more_width, more_height = max(0, int(height - width / ratio)) // 2, max(0, int(width - height * ratio)) // 2
    return shown, (left - more_width, top - more_height, right + more_width, bottom + more_height)


def _rounded(x1: float, y1: float, x2: float, y2: float) -> _Rectangle:
    left, top, right, bottom = round(x1), round(y1), round(x2), round(y2)
    return left, top, max(right, left + 1), max(bottom, top + 1)  # even a box between two pixels shows one


def _cut(image: Image, shown: _Rectangle, whole: _Rectangle) -> Image:
    """The pixels of the rectangle `shown`, on black where it leaves the image, in a picture as large as `whole`."""
    left, top = max(shown[0], 0), max(shown[1], 0)
    right, bottom = min(shown[2], image.shape[1]), min(shown[3], image.shape[0])
    if (left, top, right, bottom) == whole:
        return image[top:bottom, left:right]
    part = np.zeros((whole[3] - whole[1], whole[2] - whole[0], 3), dtype=np.uint8)
    if left < right and top < bottom:
        part[top - whole[1] : bottom - whole[1], left - whole[0] : right - whole[0]] = image[top:bottom, left:right]
    return part


def _resize(part: Image, shape: tuple[int, int]) -> Image:
    try:
        import cv2
    except ImportError:
        raise DependencyError(f"top-down networks need OpenCV for their crops; run: {INSTALL_RESIZE}") from None
    resized: Image = cv2.resize(part, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return resized
