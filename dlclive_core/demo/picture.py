"""A picture of the mouse's trajectory, as a PNG file, with numpy and the standard library."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.demo.drawing import beads, line, paint
from dlclive_core.machine.files import write_whole

_EARLY, _MIDDLE, _LATE = (np.asarray(c, np.float32) for c in ((64, 90, 220), (230, 80, 160), (255, 205, 60)))
_WHITE = np.full(3, 255, np.float32)
_ENLARGED = 2


def trajectory_picture(
    background: NDArray[np.uint8], path: NDArray[np.float32], target: Path, *, overwrite: bool = True
) -> None:
    """Draw a path over a dimmed frame, coloured by time from blue through pink to yellow.

    A ring marks its start, a dot its end.

    Args:
        background: (H, W, 3) uint8 RGB.
        path: (T, 2) x, y in pixels of the background; NaN breaks the line.
        target: the PNG file; the picture has twice the background's width and height.
        overwrite: whether an existing file may be replaced.
    """
    canvas = np.repeat(np.repeat(background, _ENLARGED, 0), _ENLARGED, 1).astype(np.float32)
    canvas = 0.45 * canvas + 0.1 * 255
    points = path.astype(float) * _ENLARGED
    steps = max(len(points) - 1, 1)
    for index, (a, b) in enumerate(pairwise(points)):
        segment = np.stack([a, b])
        if np.isfinite(segment).all():
            paint(canvas, segment, 4, line(segment, 1.6, 1.6), _colour(index / steps))
    visible = points[np.isfinite(points).all(axis=1)]
    if len(visible):
        for point, colour in ((visible[:1], _colour(0)), (visible[-1:], _colour(1))):
            paint(canvas, point, 10, beads(point, np.asarray([7.0])), _WHITE)
            paint(canvas, point, 10, beads(point, np.asarray([5.0])), colour)
        first = visible[:1]
        paint(canvas, first, 10, beads(first, np.asarray([2.5])), _WHITE)
    write_png(np.clip(canvas, 0, 255).astype(np.uint8), target, overwrite=overwrite)


def _colour(share: float) -> NDArray[np.float32]:
    if share < 0.5:
        return _EARLY + np.float32(2 * share) * (_MIDDLE - _EARLY)
    return _MIDDLE + np.float32(2 * share - 1) * (_LATE - _MIDDLE)


def write_png(image: NDArray[np.uint8], target: Path, *, overwrite: bool = True) -> None:
    """Write an (H, W, 3) uint8 RGB image (PNG specification, 8-bit truecolour, no filter) atomically."""
    height, width = image.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = image.reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
    write_whole(target, b"\x89PNG\r\n\x1a\n" + content, overwrite=overwrite)
