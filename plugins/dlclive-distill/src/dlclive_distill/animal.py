"""Where the animal is and how large, from the teacher's keypoints."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LEAST = 0.4
"""Teacher's confidence from which a keypoint belongs to the animal."""

_ROOM = 1.4  # a window is so much larger than the animal: the coarse network is not exact, and ears are not the animal's end
_FILLS = 0.8  # of the frame's smaller side
_SHARE = 0.995  # of the frames whose animal fits


def animal_centres(keypoints: NDArray[np.float32], least: float = LEAST) -> NDArray[np.float64]:
    """(..., 2) middle of the box around the keypoints (..., K, 3) in which the teacher believes; NaN where there is none."""
    low, high = _corners(keypoints, least)
    return (low + high) / 2


def window_side(keypoints: NDArray[np.float32], multiple: int, least: float = LEAST) -> int:
    """Side in pixels of the square window in which nearly all animals fit; a multiple of a number."""
    low, high = _corners(keypoints, least)
    extent = (high - low).max(-1)
    extent = extent[np.isfinite(extent)]
    largest = float(np.quantile(extent, _SHARE)) if len(extent) else 0.0
    return max(4, math.ceil(_ROOM * largest / multiple)) * multiple


def fills(window: int, width: int, height: int) -> bool:
    """Whether a window of this side is nearly as large as the frame, so that nothing is gained by it."""
    return window > _FILLS * min(width, height)


def _corners(keypoints: NDArray[np.float32], least: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    believed = (keypoints[..., 2] >= least)[..., None]
    xy = keypoints[..., :2].astype(np.float64)
    low = np.where(believed, xy, np.inf).min(-2)
    high = np.where(believed, xy, -np.inf).max(-2)
    found = believed.any(-2)
    return np.where(found, low, np.nan), np.where(found, high, np.nan)
