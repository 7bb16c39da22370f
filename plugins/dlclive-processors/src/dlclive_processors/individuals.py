"""Who is who from frame to frame, for everything that remembers individuals."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from dlclive_core import Pose


def individual_keys(pose: Pose) -> Sequence[Hashable]:
    """One key for each individual, unique within the pose: its id if all ids are different, else its row."""
    if pose.ids is not None and len(set(pose.ids)) == len(pose):
        return pose.ids
    return range(len(pose))
