"""An estimate as the viewer gets it: the image, made small enough, and the numbers."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dlclive_core import Estimate
from dlclive_io.screen.newest import Reading


def answer(reading: Reading, width: int | None) -> tuple[dict[str, Any], NDArray[np.uint8] | None]:
    """The header and the image, at most `width` pixels wide, of a message to the viewer.

    OpenCV shrinks without holding Python's lock, so the session's thread is not kept waiting.
    """
    header: dict[str, Any] = {
        "now": time.perf_counter(),
        "times": reading.times,
        "processed": reading.processed,
        "dropped": reading.dropped,
        "ended": reading.ended,
    }
    if reading.estimate is None:
        return header, None
    return {**header, "frame": _described(reading.estimate)}, shrunk(reading.estimate.frame.image, width)


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


def shrunk(image: NDArray[np.uint8], width: int | None) -> NDArray[np.uint8]:
    """The image, or a smaller one of this width in the same shape."""
    if width is None or image.shape[1] <= width:
        return image
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
