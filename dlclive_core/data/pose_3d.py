"""The pose in space: keypoint positions of the animals, from two or more cameras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.pose import Pose


@dataclass(frozen=True, slots=True)
class Pose3D(Pose):
    """The keypoints of N individuals in space. A missing keypoint is (NaN, NaN, NaN, 0).

    Coordinates are those of the cameras' calibration: its origin, its axes, its unit. What uses `positions` and `confidence`
    alone works with both kinds of pose; processors and sinks that do say so in their `dimensions`.

    Attributes:
        keypoints: (N, K, 4) float32: x, y, z [unit of the calibration], confidence [0..1]: the lowest of the views used.
        error: (N, K) float32 reprojection error [px]: from the projections of the position to the keypoints that the cameras
            saw, root mean square over the views used; NaN where the keypoint is missing. None: not known.
        views: (N, K) int, the number of cameras used; 0 where the keypoint is missing. None: not known.
        unit: of the positions, for example "mm"; "" if the calibration does not tell.
    """

    dimensions: ClassVar[int] = 3
    _further_arrays: ClassVar[tuple[str, ...]] = ("unique", "boxes", "error", "views")

    error: NDArray[np.float32] | None = None
    views: NDArray[np.intp] | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        Pose.__post_init__(self)  # super() does not work in a dataclass with slots
        for name in ("error", "views"):
            array = getattr(self, name)
            if array is not None and array.shape != self.keypoints.shape[:2]:
                raise ValueError(f"{name} has shape {array.shape}; the keypoints require {self.keypoints.shape[:2]}")
