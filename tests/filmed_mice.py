"""Mice that are filmed: what is found of them in each frame is shown to an identity tracker."""

from __future__ import annotations

import math

import numpy as np
from dlclive_processors import IdentityTracker
from numpy.typing import NDArray

from dlclive_core import Frame, Pose, RunInfo, Skeleton

SKELETON = Skeleton(("snout", "left_ear", "right_ear", "tail_base"))
BODY = np.array([[40, 0], [24, -10], [24, 10], [-40, 0]], dtype=np.float64)  # px, heading right
IMAGE = np.zeros((2, 2, 3), dtype=np.uint8)
FPS = 30.0


def mouse(x: float, y: float, heading: float = 0.0) -> NDArray[np.float32]:
    """(K, 3) keypoints of a mouse."""
    turn = np.array([[math.cos(heading), math.sin(heading)], [-math.sin(heading), math.cos(heading)]])
    keypoints = np.full((len(BODY), 3), 0.9, np.float32)
    keypoints[:, :2] = BODY @ turn + (x, y)
    return keypoints


NOBODY = Pose.missing(SKELETON).keypoints[0]


class Filmed:
    """A tracker that is shown one frame after the other."""

    def __init__(self, run: RunInfo | None = None, **options: object) -> None:
        self.tracker = IdentityTracker(**options)  # type: ignore[arg-type]
        if run is not None:
            self.tracker.open(run)
        self.number, self.time = -1, 0.0

    def see(self, *animals: NDArray[np.float32], boxes: object = None, seconds: float = 1 / FPS) -> Pose:
        """Show a frame, a time after the last one."""
        self.number += 1
        self.time += seconds if self.number else 0.0
        keypoints = np.array(animals, np.float32).reshape(-1, len(BODY), 3)
        given = None if boxes is None else np.array(boxes, np.float32)
        frame = Frame(IMAGE, self.number, 1000 + self.time, self.time)
        return self.tracker.process(Pose(keypoints, SKELETON, boxes=given), frame)


def places(pose: Pose) -> dict[str, tuple[int, int]]:
    """Where the middle of each animal is that was seen."""
    assert pose.ids is not None
    middles = {name: rows[:, :2].mean(axis=0) for name, rows in zip(pose.ids, pose.keypoints, strict=True)}
    return {name: (round(float(x)), round(float(y))) for name, (x, y) in middles.items() if np.isfinite(x)}
