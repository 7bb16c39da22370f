"""The pose: keypoint positions of the animals in one frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.skeleton import Skeleton

P = TypeVar("P", bound="Pose")
Array = TypeVar("Array", bound=NDArray[Any])


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
        unlike: how unlike the model's training the frame is, scaled so that 1.0 is the limit: above it, keypoints are not to
            be trusted, whatever their confidence. None: the model does not tell; only students do (`ModelCard.student`).
        dimensions: D, the number of coordinates of a position: 2; 3 for a `Pose3D`.
    """

    dimensions: ClassVar[int] = 2
    _further_arrays: ClassVar[tuple[str, ...]] = ("unique", "boxes")

    keypoints: NDArray[np.float32]
    skeleton: Skeleton
    ids: tuple[str, ...] | None = None
    unique: NDArray[np.float32] | None = None
    boxes: NDArray[np.float32] | None = None
    unlike: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        keypoints, ids = self.keypoints, self.ids  # looked up once: this is on the path of every frame
        shape, columns = keypoints.shape, self.dimensions + 1
        if len(shape) != 3 or shape[1:] != (len(self.skeleton), columns):
            raise ValueError(
                f"keypoints have shape {shape}; the skeleton requires (N, {len(self.skeleton)}, {columns})"
            )
        if keypoints.dtype != np.float32:
            raise ValueError(f"keypoints are {keypoints.dtype}; they must be float32")
        if ids is not None and len(ids) != shape[0]:
            raise ValueError(f"{len(ids)} ids for {shape[0]} individuals")
        if (frozen := _frozen(keypoints)) is not keypoints:
            object.__setattr__(self, "keypoints", frozen)
        if ids is not None and type(ids) is not tuple:
            object.__setattr__(self, "ids", tuple(ids))
        for name in self._further_arrays:
            if (array := getattr(self, name)) is not None:
                object.__setattr__(self, name, _frozen(array))

    @classmethod
    def missing(cls: type[P], skeleton: Skeleton, individuals: int = 1) -> P:
        """A pose in which all keypoints are missing."""
        keypoints = np.full((individuals, len(skeleton), cls.dimensions + 1), np.nan, dtype=np.float32)
        keypoints[..., -1] = 0.0
        return cls(keypoints, skeleton)

    @property
    def positions(self) -> NDArray[np.float32]:
        """(N, K, D) view of the positions: D = 2, in pixels; D = 3 for a `Pose3D`, in its unit."""
        return self.keypoints[..., :-1]

    @property
    def xy(self) -> NDArray[np.float32]:
        """(N, K, 2) view of the positions."""
        return self.keypoints[..., :2]

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(N, K) view of the confidences."""
        return self.keypoints[..., -1]

    @property
    def is_unlike(self) -> bool:
        """Whether the frame is too unlike the model's training for its keypoints to be trusted."""
        return self.unlike is not None and not self.unlike <= 1  # NaN is beyond every limit

    def __len__(self) -> int:
        return int(self.keypoints.shape[0])

    def single(self) -> NDArray[np.float32]:
        """(K, D + 1) of the individual with the highest mean confidence; all missing if there are no individuals."""
        if len(self) == 1:
            return self.keypoints[0]
        if len(self) == 0:
            return self.missing(self.skeleton).keypoints[0]
        best = int(np.argmax(self.confidence.mean(axis=1)))
        return self.keypoints[best]


def _frozen(array: Array) -> Array:
    """A read-only copy; an array that is one already is kept, so that `dataclasses.replace` copies only what is new."""
    if array.base is None and not array.flags.writeable:
        return array
    copy: Array = np.array(array)  # type: ignore[assignment]
    copy.flags.writeable = False
    return copy
