"""Poses as the arrays that processors of DeepLabCut-live get and return: finite, and writable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.pose import Pose
from dlclive_core.errors import UsageError


def best_animal(pose: Pose) -> Pose:
    """The pose of the individual with the highest mean confidence, with its name and box; see `Pose.single`."""
    if len(pose) <= 1:
        return pose
    confidence = np.where(np.isfinite(pose.confidence), pose.confidence, 0).clip(0, 1)
    row = int(np.argmax(confidence.mean(axis=1)))
    return replace(
        pose,
        keypoints=pose.keypoints[row : row + 1],
        ids=None if pose.ids is None else pose.ids[row : row + 1],
        boxes=None if pose.boxes is None else pose.boxes[row : row + 1],
    )


def finite_keypoints(pose: Pose) -> NDArray[np.float32]:
    """(N, K, 3) float32, a copy. A missing keypoint is (0, 0, 0), as there: NaN would spread through any arithmetic.

    Without animals, it is one animal whose keypoints are all missing: processors of DeepLabCut-live read the first row.
    """
    if len(pose) == 0:
        return np.zeros((1, len(pose.skeleton), 3), np.float32)
    keypoints = pose.keypoints.copy()
    keypoints[~np.isfinite(keypoints).all(axis=-1)] = 0
    return keypoints


def pose_of_array(result: object, pose: Pose, name: str) -> Pose:
    """The pose that a processor returned as an array, (K, 3) or (N, K, 3).

    A keypoint that is exactly (0, 0, 0), or not finite, is missing: (NaN, NaN, 0). So a trigger after the processor never
    sees an animal in the top left corner that nobody saw. A position that the processor gave to a missing keypoint is kept,
    with the confidence that it has there: filters predict through gaps.

    Args:
        pose: the pose that the processor was given; one without animals stays so if no keypoint was added.
        name: of the processor, for messages.

    Raises:
        UsageError: it is not an array of such a shape.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # numbers beyond float32 become infinite, and are missing
            returned = np.asarray(result)
            keypoints = returned.astype(np.float32) if returned.dtype.kind in "biufO" else None
    except (TypeError, ValueError, OverflowError):
        keypoints = None
    count = len(pose.skeleton)
    if keypoints is None or keypoints.shape[-2:] != (count, 3) or keypoints.ndim not in (2, 3):
        got = f"shape {np.shape(keypoints)}" if keypoints is not None else f"a {type(result).__name__}"
        expected = (count, 3) if len(pose) <= 1 else (len(pose), count, 3)
        raise UsageError(f"{name}.process returned {got}, not an array of numbers of shape {expected}")
    keypoints = keypoints.reshape(-1, count, 3)
    missing = ~np.isfinite(keypoints).all(axis=-1) | (keypoints == 0).all(axis=-1)
    if len(pose) == 0 and bool(missing.all()):
        return pose
    keypoints[missing] = (np.nan, np.nan, 0)
    if len(keypoints) == len(pose):
        return replace(pose, keypoints=keypoints)
    return replace(pose, keypoints=keypoints, ids=None, boxes=None)
