"""Images padded to the multiples that a network takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.deeplabcut.config import padded_size


def pad(images: NDArray[np.uint8], divisor: tuple[int, int]) -> NDArray[np.uint8]:
    """Pad (B, H, W, 3) images at the bottom and right to multiples of (height, width), by reflection without the edge."""
    height, width = images.shape[1:3]
    high, wide = padded_size(height, width, divisor)
    if (high, wide) == (height, width):
        return images
    return images[:, mirrored_indices(high, height)][:, :, mirrored_indices(wide, width)]


def mirrored_indices(size: int, limit: int, before: int = 0) -> NDArray[np.intp]:
    """`size` indices of an axis of length `limit` that is reflected at its ends, without repeating them.

    The first is `before` places in front of the axis.
    """
    if limit == 1:
        return np.zeros(size, dtype=np.intp)
    period = 2 * (limit - 1)
    index = (np.arange(size) - before) % period
    return np.where(index < limit, index, period - index)
