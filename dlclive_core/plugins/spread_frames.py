"""Frames spread evenly over a clip. The source is read from the start, because not every source can seek."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import FrameSource
from dlclive_core.data.frame import as_rgb
from dlclive_core.errors import EndOfStream

LONGEST = 5000
"""The largest number of frames read."""

_MOST_BYTES = 1 << 30


def spread_frames(source: FrameSource, count: int) -> list[NDArray[np.uint8]]:
    """Up to `count` frames spread evenly over the first 5000 of a recording. Opens and closes the source.

    Frames are kept in memory, at most about a gigabyte; if frames are very large, fewer are returned.

    Returns:
        (H, W, 3) uint8 RGB images in the order of the clip; all frames of a clip with fewer than `count`.

    Raises:
        SourceError, DataError: the source cannot be read.
    """
    kept: list[NDArray[np.uint8]] = []
    step = 1
    with source:
        source.open()
        try:
            for index in range(LONGEST):
                image = source.read(1.0).image
                if index == 0:
                    count = max(1, min(count, _MOST_BYTES // (3 * image.shape[0] * image.shape[1])))
                if index % step == 0:
                    kept.append(as_rgb(image))
                if len(kept) == 2 * count:  # the length is known only at the end: drop every second frame
                    kept, step = kept[::2], 2 * step
        except EndOfStream:
            pass
    indices = np.linspace(0, len(kept) - 1, min(count, len(kept))).round().astype(int)
    return [kept[index] for index in indices]
