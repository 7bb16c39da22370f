"""Frames spread over a clip, from any source: read through, because not every source can seek."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import FrameSource
from dlclive_core.data.frame import as_rgb
from dlclive_core.errors import EndOfStream

LONGEST = 5000
"""Frames that are looked through at most: a clip, not an afternoon."""

_MOST_BYTES = 1 << 30


def spread_frames(source: FrameSource, count: int) -> list[NDArray[np.uint8]]:
    """Up to `count` frames at equal distances over the first 5000 of a recording; the source is opened and closed.

    Frames are kept in memory, at most about a gigabyte of them: of very large ones there are fewer.

    Returns:
        (H, W, 3) uint8 RGB images in the order of the clip. A clip with fewer frames gives all of them.

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
                if len(kept) == 2 * count:  # how long it is shows only at the end: every other one was enough
                    kept, step = kept[::2], 2 * step
        except EndOfStream:
            pass
    places = np.linspace(0, len(kept) - 1, min(count, len(kept))).round().astype(int)
    return [kept[place] for place in places]
