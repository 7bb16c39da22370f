"""The poses of a session as the arrays that scripts get."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from dlclive_core import MemorySink, best_animal, finite_keypoints


class FramePose(TypedDict):
    """One entry of the list of poses, as in deeplabcut-live."""

    frame: int
    pose: NDArray[np.float32]


def frame_poses(memory: MemorySink, *, single_animal: bool) -> list[FramePose]:
    """All poses that a session left in memory, (K, 3) of the best animal or (N, K, 3) of all, as of `DLCLive.get_pose`."""
    return [
        {"frame": index, "pose": finite_keypoints(best_animal(pose))[0] if single_animal else finite_keypoints(pose)}
        for index, pose in zip(memory.indices, memory.poses, strict=True)
    ]
