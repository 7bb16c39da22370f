"""The pose: keypoint positions of the animals in one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.skeleton import Skeleton


@dataclass(frozen=True, slots=True)
class Pose:
    """The keypoints of N individuals in one frame.

    Coordinates are pixels of the full frame, x to the right and y down, as in DeepLabCut: the centre of the top left
    pixel is (0.5, 0.5). A missing keypoint is (NaN, NaN, 0), never (0, 0).

    The arrays are copied, and read-only: a processor or a runtime may use its own arrays again, and a pose that was handed on
    stays as it was. `dataclasses.replace` makes a pose with other arrays.

    Attributes:
        keypoints: (N, K, 3) float32: x [px], y [px], confidence [0..1]. N may be 0. Networks that assemble or identify
            animals return a row for each individual of the project; all keypoints of an absent individual are missing.
        skeleton: the K keypoint names.
        ids: the names of the N individuals, if identity is known.
        unique: (U, 3) float32, keypoints that exist once in the scene (a lever, a corner of the arena).
        boxes: (N, 5) float32: the box in which each animal was searched, as x1, y1, x2, y2 [px], and the detector's score.
            The score is NaN if the box came from the caller, a condition, or an earlier pose without a detector.
    """

    keypoints: NDArray[np.float32]
    skeleton: Skeleton
    ids: tuple[str, ...] | None = None
    unique: NDArray[np.float32] | None = None
    boxes: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        shape = self.keypoints.shape
        if len(shape) != 3 or shape[1:] != (len(self.skeleton), 3):
            raise ValueError(f"keypoints have shape {shape}; the skeleton requires (N, {len(self.skeleton)}, 3)")
        if self.keypoints.dtype != np.float32:
            raise ValueError(f"keypoints are {self.keypoints.dtype}; they must be float32")
        if self.ids is not None and len(self.ids) != shape[0]:
            raise ValueError(f"{len(self.ids)} ids for {shape[0]} individuals")
        object.__setattr__(self, "keypoints", _frozen(self.keypoints))
        if self.ids is not None:
            object.__setattr__(self, "ids", tuple(self.ids))
        for name in ("unique", "boxes"):
            if (array := getattr(self, name)) is not None:
                object.__setattr__(self, name, _frozen(array))

    @classmethod
    def missing(cls, skeleton: Skeleton, individuals: int = 1) -> Pose:
        """A pose in which all keypoints are missing."""
        keypoints = np.full((individuals, len(skeleton), 3), np.nan, dtype=np.float32)
        keypoints[..., 2] = 0.0
        return cls(keypoints, skeleton)

    @property
    def xy(self) -> NDArray[np.float32]:
        """(N, K, 2) view of the positions."""
        return self.keypoints[..., :2]

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(N, K) view of the confidences."""
        return self.keypoints[..., 2]

    def __len__(self) -> int:
        return int(self.keypoints.shape[0])

    def single(self) -> NDArray[np.float32]:
        """(K, 3) of the individual with the highest mean confidence; all missing if there are no individuals."""
        if len(self) == 1:
            return self.keypoints[0]
        if len(self) == 0:
            return Pose.missing(self.skeleton).keypoints[0]
        best = int(np.argmax(self.confidence.mean(axis=1)))
        return self.keypoints[best]


def _frozen(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """A read-only copy; an array that is one already is kept, so that `dataclasses.replace` copies only what is new."""
    if array.base is None and not array.flags.writeable:
        return array
    copy = np.array(array)
    copy.flags.writeable = False
    return copy
