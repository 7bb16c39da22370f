"""The position of a region in the frame, and the exact mapping of keypoints between the two."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.pose import Pose


@dataclass(frozen=True, slots=True)
class CropTransform:
    """An axis-aligned map from a region's pixels to the pixels of the image it was cut from: outer = inner * scale + offset.

    Attributes:
        offset: (x, y) of the region's top left corner, in outer pixels.
        scale: (x, y) outer pixels per inner pixel.
    """

    offset: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)

    def within(self, outer: CropTransform) -> CropTransform:
        """Compose with the transform of the enclosing region: this one first, then `outer`."""
        (x, y), (sx, sy) = self.offset, self.scale
        (ox, oy), (osx, osy) = outer.offset, outer.scale
        return CropTransform((x * osx + ox, y * osy + oy), (sx * osx, sy * osy))

    def to_outer(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map points (..., 2 or more columns: x, y, ...) to outer pixels; other columns and NaN stay unchanged."""
        mapped = points.copy()
        mapped[..., :2] = points[..., :2] * np.asarray(self.scale, points.dtype) + np.asarray(self.offset, points.dtype)
        return mapped

    def to_inner(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inverse of `to_outer`."""
        mapped = points.copy()
        mapped[..., :2] = (points[..., :2] - np.asarray(self.offset, points.dtype)) / np.asarray(
            self.scale, points.dtype
        )
        return mapped

    def pose_to_outer(self, pose: Pose) -> Pose:
        """Map a pose from inner to outer pixels."""
        if self == IDENTITY:
            return pose
        boxes = pose.boxes
        if boxes is not None:
            boxes = boxes.copy()
            boxes[:, 0:2] = self.to_outer(boxes[:, 0:2])
            boxes[:, 2:4] = self.to_outer(boxes[:, 2:4])
        unique = None if pose.unique is None else self.to_outer(pose.unique)
        return replace(pose, keypoints=self.to_outer(pose.keypoints), unique=unique, boxes=boxes)


IDENTITY = CropTransform()
