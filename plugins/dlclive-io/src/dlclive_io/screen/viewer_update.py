"""An estimate as the viewer gets it: the image, made small enough, and the numbers."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dlclive_core import Estimate
from dlclive_io.screen.newest_estimate import Snapshot


def answer(reading: Snapshot, width: int) -> tuple[dict[str, Any], NDArray[np.uint8] | None]:
    """The header and the image, at most `width` pixels wide, of a message to the viewer.

    OpenCV shrinks without holding Python's lock, so the session's thread is not kept waiting.
    """
    header: dict[str, Any] = {
        "now": time.perf_counter(),
        "times": reading.times,
        **{
            name: getattr(reading.progress, name)
            for name in ("processed", "missed", "dropped", "not_written", "losses")
        },
        "ended": reading.ended,
    }
    if reading.estimate is None:
        return header, None
    return {**header, "frame": _described(reading.estimate)}, shrink(reading.estimate.frame.image, width)


def _described(estimate: Estimate) -> dict[str, Any]:
    pose, frame = estimate.pose, estimate.frame
    return {
        "index": frame.index,
        "captured_at": frame.captured_at,
        "size": (frame.image.shape[1], frame.image.shape[0]),
        "keypoints": pose.keypoints.tolist(),
        "unique": None if pose.unique is None else pose.unique.tolist(),
        "ids": pose.ids,
    }


def shrink(image: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """The image, or a smaller one of this width in the same shape.

    First by whole numbers, by averaging, then by interpolation: averaging over parts of pixels takes OpenCV ten times as
    long. The last rows and columns that fill no block are left out.
    """
    height, wide = image.shape[:2]
    if wide <= width:
        return image
    target = (width, max(1, round(height * width / wide)))
    if (times := min(wide // width, height)) > 1:
        block = image[: height // times * times, : wide // times * times]
        image = _resized(block, (wide // times, height // times), cv2.INTER_AREA)
    return _resized(image, target, cv2.INTER_LINEAR)


def _resized(image: NDArray[np.uint8], size: tuple[int, int], how: int) -> NDArray[np.uint8]:
    return cv2.resize(image, size, interpolation=how).astype(np.uint8, copy=False)
