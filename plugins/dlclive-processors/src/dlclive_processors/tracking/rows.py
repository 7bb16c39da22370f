"""The rows of a pose, in the order of identities."""

from __future__ import annotations

import numpy as np

from dlclive_core import Pose
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
        self._numbers = list(range(len(self._names)))

    def place(self, pose: Pose, tracks: Tracks) -> tuple[Pose, int]:
        """Return the pose with a row for each identity, and in how many of them there is an animal."""
        row_of = {
            number: row
            for number, row in zip(tracks.identity.tolist(), tracks.row.tolist(), strict=True)
            if number >= 0
        }
        if not self._are_all_known and (numbers := sorted(row_of)) != self._numbers:
            self._numbers, self._names = numbers, tuple(track_name(number) for number in numbers)
        order = [row_of.get(number, -1) for number in self._numbers]
        unseen = order.count(-1)
        rows = np.array(order, dtype=np.intp)
        if unseen:
            keypoints = Pose.missing(pose.skeleton, len(order)).keypoints.copy()
            places = (rows >= 0).nonzero()[0]
            keypoints[places] = pose.keypoints[rows[places]]
        else:
            keypoints = pose.keypoints.take(rows, axis=0)
        keypoints.flags.writeable = False  # so that the pose need not copy it
        boxes = None
        if pose.boxes is not None:
            boxes = np.full((len(order), pose.boxes.shape[1]), np.nan, dtype=np.float32)
            boxes[rows >= 0] = pose.boxes[rows[rows >= 0]]
        placed = Pose(keypoints, pose.skeleton, self._names, pose.unique, boxes, unlike=pose.unlike)
        return placed, len(order) - unseen


def track_name(number: int) -> str:
    """The name of an identity that the project does not name."""
    return f"track_{number + 1}"
