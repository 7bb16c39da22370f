"""How a frame could have been: moved, turned, scaled or mirrored."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dlclive_distill.teacher import SURE

SMALL_ANGLE = 25.0
"""Degrees."""
_SIZE = 1.13  # largest factor
_REACH = 0.2  # of the frame's smaller side: how far the animal is moved
_MARGIN = 0.12  # of it: how far from the frame's edge the animal stays
_GAIN, _LEVEL = 0.15, 8.0  # of the brightness; of 255


def mirrored_frame(
    frame: NDArray[np.uint8], keypoints: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A frame as a mirror shows it, with the positions of its keypoints there; the teacher says which is which."""
    turned = keypoints.copy()
    turned[..., 0] = frame.shape[1] - turned[..., 0]
    return frame[:, ::-1], turned


def move_frame(frame: NDArray[np.uint8], random: np.random.Generator, grid: int) -> NDArray[np.uint8]:
    """A frame (H, W, 3), moved by whole pixels, at most one and a half squares of the grid."""
    return shifted(frame, random.integers(-3 * grid // 2, 3 * grid // 2 + 1, 2))


def shifted(frame: NDArray[np.uint8], step: NDArray[np.int64]) -> NDArray[np.uint8]:
    """A frame (H, W, 3), moved by (right, down) whole pixels; what comes in is a reflection."""
    height, width, _ = frame.shape
    matrix = np.concatenate([np.eye(2), step[:, None]], axis=1).astype(np.float32)
    moved = cv2.warpAffine(
        np.asarray(frame), matrix, (width, height), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(moved, np.uint8)


def vary_frame(
    frame: NDArray[np.uint8], keypoints: NDArray[np.float32], random: np.random.Generator, angle: float = SMALL_ANGLE
) -> NDArray[np.uint8]:
    """A frame (H, W, 3), turned by at most `angle` degrees about its animal, which is then moved; outside is its reflection.

    Of several animals, (A, K, 3) keypoints, it is turned about their middle.
    """
    height, width, _ = frame.shape
    size, side = np.array([width, height]), min(width, height)
    sure = keypoints[..., 2] >= SURE / 2
    centre = keypoints[sure][:, :2].mean(0) if sure.any() else size / 2
    turn = cv2.getRotationMatrix2D(
        (float(centre[0]), float(centre[1])),
        float(random.uniform(-angle, angle)),
        float(np.exp(random.uniform(-1, 1) * np.log(_SIZE))),
    )
    goal = centre + random.uniform(-_REACH, _REACH, 2) * side
    turn[:, 2] += np.clip(goal, _MARGIN * side, size - _MARGIN * side) - centre
    moved = cv2.warpAffine(
        np.ascontiguousarray(frame), turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    gain, level = np.exp(random.uniform(-_GAIN, _GAIN)), random.uniform(-_LEVEL, _LEVEL)
    return np.asarray(cv2.convertScaleAbs(moved, alpha=float(gain), beta=float(level)), np.uint8)
