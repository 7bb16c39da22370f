"""The model of a 3-D session: 2-D poses of one moment in, a pose in space out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel, Processor
from dlclive_core.data.card import ModelCard
from dlclive_core.data.frame import Frame
from dlclive_core.data.frame_set import FrameSet
from dlclive_core.data.pose import Pose
from dlclive_core.data.pose_3d import Pose3D
from dlclive_core.errors import UsageError
from dlclive_core.views.camera import CalibratedCamera
from dlclive_core.views.lens import Floats
from dlclive_core.views.matching import Matches, match
from dlclive_core.views.triangulation import Limits, Triangulation, with_camera


class TriangulatingModel(PoseModel):
    """Makes a `Pose3D` of the poses in a `FrameSet`.

    Args:
        card: of the models that make the 2-D poses.
        cameras: in the order of the set's views.
        limits: what is accepted.
        unit: of the calibration.
    """

    runtime = "numpy"
    dimensions = 3

    def __init__(self, card: ModelCard, cameras: Sequence[CalibratedCamera], limits: Limits, unit: str = "") -> None:
        self.card = card
        self.unit = unit
        self.cameras = tuple(cameras)
        self.triangulation = Triangulation(cameras, limits)
        self.counts = {"keypoints": 0, "seen_by_too_few": 0, "error_too_large": 0, "views_left_out": 0}
        self._squares = 0.0

    def reset(self) -> None:
        """Begin to count anew; the first call of numpy's functions is slow, and is made here."""
        self.locate(
            [Pose(np.ones((1, len(self.card.skeleton), 3), np.float32), self.card.skeleton)] * len(self.cameras)
        )
        self.counts = dict.fromkeys(self.counts, 0)
        self._squares = 0.0

    def replace_camera(self, number: int, camera: CalibratedCamera) -> None:
        """Use another calibration for a view, because its frames have another size."""
        self.triangulation = with_camera(self.triangulation, number, camera)

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        """Raise UsageError: positions do not follow from one image."""
        raise UsageError("a position in space does not follow from one image; see MultiViewRig")

    def predict_frame(self, frame: Frame, image: NDArray[np.uint8]) -> Pose3D:
        """Triangulate the poses of a set. Raises UsageError for a frame that is none."""
        if not isinstance(frame, FrameSet):
            raise UsageError(f"frame {frame.index} is of one camera, not a set of several")
        return self.locate([None if view is None else view.pose for view in frame.views])

    def locate(self, poses: Sequence[Pose | None]) -> Pose3D:
        """Triangulate the poses of one moment, one for each camera; None for a camera without a frame."""
        triangulation = self.triangulation
        matches = match(poses, triangulation)
        pixels, confidence = _gathered(poses, matches, len(self.card.skeleton), len(self.card.unique_keypoints))
        points = triangulation.locate(pixels, confidence)
        count = matches.rows.shape[0] * len(self.card.skeleton)
        found = np.isfinite(points.error)
        for name, value in zip(self.counts, (found.sum(), points.few, points.off, points.left_out), strict=True):
            self.counts[name] += int(value)
        self._squares += float(np.square(points.error[found]).sum())
        values = np.concatenate([points.positions, points.confidence[:, None]], axis=1).astype(np.float32)
        shape = (matches.rows.shape[0], len(self.card.skeleton))
        return Pose3D(
            values[:count].reshape(*shape, 4),
            self.card.skeleton,
            ids=matches.ids,
            unique=values[count:] if len(values) > count else None,
            error=points.error[:count].astype(np.float32).reshape(shape),
            views=points.views[:count].reshape(shape),
            unit=self.unit,
        )

    @property
    def mean_error(self) -> float:
        """Reprojection error [px], root mean square over all keypoints so far; NaN for none."""
        return math.sqrt(self._squares / self.counts["keypoints"]) if self.counts["keypoints"] else math.nan


class TriangulationCounts(Processor):
    """Puts the counts of a model into the report. The poses pass unchanged."""

    dimensions = (3,)

    def __init__(self, model: TriangulatingModel) -> None:
        self._model = model

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Return the pose."""
        return pose

    @property
    def statistics(self) -> Mapping[str, float]:
        """Keypoints in space, and why others are missing."""
        return {**self._model.counts, "reprojection_error_px": self._model.mean_error}


def _gathered(poses: Sequence[Pose | None], matches: Matches, keypoints: int, unique: int) -> tuple[Floats, Floats]:
    """(V, M, 2) pixels and (V, M) confidences: the keypoints of each animal, then those that exist once."""
    animals = len(matches.rows)
    values = np.full((len(poses), animals * keypoints + unique, 3), np.nan)
    for view, pose in enumerate(poses):
        if pose is None:
            continue
        part = values[view, : animals * keypoints].reshape(animals, keypoints, 3)
        there = matches.rows[:, view] >= 0
        part[there] = pose.keypoints[matches.rows[there, view]]
        if unique and pose.unique is not None and pose.unique.shape == (unique, 3):
            values[view, animals * keypoints :] = pose.unique
    return values[..., :2], values[..., 2]
