"""The first frames of a video as an array, BGR as OpenCV reads it: the same pixels for both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def first_frames(video: Path, count: int) -> NDArray[np.uint8]:
    """(T, H, W, 3) uint8 BGR. Raises SystemExit if the video is shorter."""
    from dlclive_io import VideoFile

    with VideoFile(video) as source:
        source.open()
        images = [source.read(10.0).image[:, :, ::-1] for _ in range(count)]
    return np.ascontiguousarray(np.stack(images))
