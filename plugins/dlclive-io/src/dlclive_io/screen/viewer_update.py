"""What the session sends to a viewer: a scaled image and its numbers."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dlclive_core import Estimate
from dlclive_io.screen.newest_estimate import Snapshot


def viewer_update(snapshot: Snapshot, width: int) -> tuple[dict[str, Any], NDArray[np.uint8] | None]:
    """Return the header and the image, at most `width` pixels wide, of a message to the viewer.

    OpenCV scales without holding the GIL, so it does not block the session's thread.
    """
    header: dict[str, Any] = {
        "now": time.perf_counter(),
        "times": snapshot.times,
        **{
            name: getattr(snapshot.progress, name)
            for name in ("processed", "missed", "dropped", "not_written", "losses")
        },
        "ended": snapshot.ended,
    }
    if snapshot.estimate is None:
        return header, None
    return {**header, "frame": _described(snapshot.estimate)}, shrink(snapshot.estimate.frame.image, width)


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
    """Scale an image down to this width, keeping its aspect ratio; a narrower image is returned unchanged.

    Averages over whole pixels first, then interpolates: averaging over fractions of pixels takes OpenCV ten times as
    long. Last rows and columns that do not fill a block are dropped.
    """
    height, full_width = image.shape[:2]
    if full_width <= width:
        return image
    target = (width, max(1, round(height * width / full_width)))
    if (factor := min(full_width // width, height)) > 1:
        blocks = image[: height // factor * factor, : full_width // factor * factor]
        image = _resize(blocks, (full_width // factor, height // factor), cv2.INTER_AREA)
    return _resize(image, target, cv2.INTER_LINEAR)


def _resize(image: NDArray[np.uint8], size: tuple[int, int], interpolation: int) -> NDArray[np.uint8]:
    return cv2.resize(image, size, interpolation=interpolation).astype(np.uint8, copy=False)
