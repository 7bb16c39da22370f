"""The rows of a pose, in the order of identities."""

from __future__ import annotations

import numpy as np

from dlclive_core import Pose
from dlclive_processors.tracking.detections import Places
from dlclive_processors.tracking.tracks import Tracks


class IdentityRows:
    """Puts each animal's keypoints into the row of its identity; a row without an animal is missing.

    With names, there is always a row for each, so an identity is always in the same row. Without, there is a row for each track
    that has an identity, called `track_1`, `track_2`, ..., in this order.

    Args:
        names: of all identities; None if their number is not known.
    """

    def __init__(self, names: tuple[str, ...] | None) -> None:
        self._are_all_known = names is not None
        self._names = names or ()
        self._numbers: Places = np.arange(len(self._names))
        self._missing = np.empty((0, 0, 3), dtype=np.float32)  # of all identities, to copy

    def place(self, pose: Pose, tracks: Tracks) -> tuple[Pose, int]:
        """Return the pose with a row for each identity, and in how many of them there is an animal."""
        identity = tracks.identity
        seen = ((identity >= 0) & (tracks.row >= 0)).nonzero()[0]
        rows, places = tracks.row[seen], identity[seen]
        if not self._are_all_known:
            numbers = np.sort(identity[identity >= 0])
            if not np.array_equal(numbers, self._numbers):
                self._numbers, self._names = numbers, tuple(track_name(number) for number in numbers)
            places = np.searchsorted(numbers, places)
        if self._missing.shape != (len(self._names), *pose.keypoints.shape[1:]):
            self._missing = Pose.missing(pose.skeleton, len(self._names)).keypoints
        keypoints = self._missing.copy()
        keypoints[places] = pose.keypoints[rows]
        keypoints.flags.writeable = False  # so that the pose need not copy it
        boxes = None
        if pose.boxes is not None:
            boxes = np.full((len(self._names), pose.boxes.shape[1]), np.nan, dtype=np.float32)
            boxes[places] = pose.boxes[rows]
        return Pose(keypoints, pose.skeleton, ids=self._names, unique=pose.unique, boxes=boxes), len(seen)


def track_name(number: int) -> str:
    """The name of an identity that the project does not name."""
    return f"track_{number + 1}"
