"""Images as a network's configuration prepares them, and the way back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.preparation import Position, Preparation
from dlclive_core.errors import FrameError
from dlclive_core.models.padding import mirrored_indices
from dlclive_core.regions import CropTransform, ResizeTo

IDENTITY = CropTransform()

Images = NDArray[np.uint8]


def prepare(images: Images, preparation: Preparation | None) -> tuple[Images, CropTransform]:
    """Resize, scale and pad (B, H, W, 3) images of one size, as DeepLabCut does before its networks.

    Resizing is OpenCV's, bilinear on whole grey levels: an exported network is given the same pixels as DeepLabCut's own.

    Returns:
        the images, and the transform from their pixels to those of the images that were given.

    Raises:
        FrameError: nothing is left of an image.
        DependencyError: OpenCV is not installed.
    """
    if preparation is None:
        return images, IDENTITY
    images, transform = _resized(images, preparation.resized(_shape(images)), IDENTITY)
    if preparation.resize is not None:  # filled up with black where the ratio was kept
        images, transform = _padded(images, preparation.resize, "top_left", (0, 0, 0), transform)
    images, transform = _resized(images, preparation.scaled(_shape(images)), transform)
    target = preparation.padded(_shape(images))
    return _padded(images, target, preparation.position, preparation.border, transform)


def _shape(images: Images) -> tuple[int, int]:
    return images.shape[1], images.shape[2]


def _resized(images: Images, shape: tuple[int, int], outer: CropTransform) -> tuple[Images, CropTransform]:
    if shape == _shape(images):
        return images, outer
    if min(shape) < 1:
        height, width = _shape(images)
        raise FrameError(f"the model's configuration resizes images, and nothing is left of one of {width} x {height}")
    region = ResizeTo(shape[1], shape[0])
    cuts = [region.cut(image) for image in images]
    return np.stack([image for image, _ in cuts]), cuts[0][1].within(outer)


def _padded(
    images: Images,
    shape: tuple[int, int],
    position: Position,
    border: tuple[int, int, int] | None,
    outer: CropTransform,
) -> tuple[Images, CropTransform]:
    height, width = _shape(images)
    if shape == (height, width):
        return images, outer
    top = _before(shape[0] - height, at_end=position.startswith("bottom"), central=position == "center")
    left = _before(shape[1] - width, at_end=position.endswith("right"), central=position == "center")
    if border is None:
        padded = images[:, mirrored_indices(shape[0], height, top)][:, :, mirrored_indices(shape[1], width, left)]
    else:
        padded = np.empty((len(images), *shape, 3), np.uint8)
        padded[:] = border
        padded[:, top : top + height, left : left + width] = images
    return padded, CropTransform((-float(left), -float(top))).within(outer)


def _before(padding: int, *, at_end: bool, central: bool) -> int:
    """How much of the padding comes before the image."""
    return padding // 2 if central else padding if at_end else 0
