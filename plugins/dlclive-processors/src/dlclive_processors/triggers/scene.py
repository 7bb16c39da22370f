"""What is seen in one frame: positions by name, and the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Pose


@dataclass(slots=True)
class Scene:
    """The keypoints of N individuals that can be trusted, in one frame.

    Attributes:
        pose: the pose that it was made from.
        names: of the individuals, all different.
        points: (N, K, D) float64 positions [px]; all NaN where a keypoint is not seen: not finite, or its confidence below the
            trigger's `min_confidence` or above 1. D is 2 for a pose in the image, 3 for one in space.
        seen: (N, K) bool.
        planes: (D, N, K) the memory of `points`: each coordinate is contiguous, which numpy takes several times less time for.
        time: seconds since the run began (live) or in the recording; never decreases between two calls of `Condition.reset`.
        motion_time: the same on the camera's own clock where that is trusted, without the jitter of transport. For speeds:
            only differences between frames mean anything.
    """

    pose: Pose
    names: tuple[str, ...]
    points: NDArray[np.float64]
    seen: NDArray[np.bool_]
    planes: NDArray[np.float64]
    time: float = 0.0
    motion_time: float = 0.0
    _rows: dict[str, int] | None = field(default=None, init=False, repr=False)

    @classmethod
    def of(
        cls, pose: Pose, names: tuple[str, ...], min_confidence: float, time: float = 0.0, motion_time: float = 0.0
    ) -> Scene:
        """The scene of a pose. `names` as from `individual_names`."""
        values = pose.keypoints.transpose(2, 0, 1).astype(np.float64, order="C")
        planes, confidence = values[:-1], values[-1]
        seen = confidence >= np.float32(min_confidence)  # as the pose has it: 0.6 is at least 0.6
        seen &= confidence <= 1
        for finite in np.isfinite(planes):
            seen &= finite
        if np.count_nonzero(seen) < seen.size:
            np.copyto(planes, np.nan, where=~seen)
        return cls(pose, names, planes.transpose(1, 2, 0), seen, planes, time, motion_time)

    def is_any_seen(self) -> list[bool]:
        """For each individual, whether any of its keypoints is seen."""
        return np.logical_or.reduce(self.seen, axis=1).tolist()

    def places(self, columns: Sequence[int]) -> list[list[list[float]]]:
        """N lists of some keypoints' D coordinates, as in `points`: few numbers are faster without numpy."""
        return self.planes.take(columns, axis=2).transpose(1, 2, 0).tolist()

    def row(self, name: str) -> int | None:
        """The row of an individual; None if it is not in this frame."""
        if self._rows is None:
            self._rows = {each: row for row, each in enumerate(self.names)}
        return self._rows.get(name)


def individual_names(pose: Pose, names: tuple[str, ...]) -> tuple[str, ...]:
    """A name for each individual, all different: its id, if the pose has different ones, else that of its row.

    Args:
        names: the model's individuals, for the first rows.
    """
    count = len(pose)
    if pose.ids is not None and len(set(pose.ids)) == count:
        return pose.ids
    if count <= len(names):
        return names[:count]
    more = (f"individual_{row + 1}" for row in range(len(names), count))
    each = (*names, *more)
    return each if len(set(each)) == count else tuple(f"row_{row + 1}" for row in range(count))
