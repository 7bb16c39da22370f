"""Ready-made values for tests of processors and sinks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel
from dlclive_core.data.card import ModelCard
from dlclive_core.data.estimate import Estimate, RunInfo
from dlclive_core.data.frame_set import FrameSet
from dlclive_core.data.pose import Pose
from dlclive_core.data.pose_3d import Pose3D
from dlclive_core.data.skeleton import Skeleton
from dlclive_core.testing.blobs import BlobModel, BlobSource


class NullModel(PoseModel):
    """Returns a constant pose immediately, to measure the overhead of everything else."""

    def __init__(self, keypoints: int = 4) -> None:
        skeleton = Skeleton(tuple(f"k{index}" for index in range(keypoints)))
        self.card = ModelCard(net_type="null", skeleton=skeleton, scorer="null", normalisation="none", format="null")
        self.runtime = "none"
        self._pose = Pose(np.ones((1, keypoints, 3), np.float32), skeleton)

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        return self._pose


def run_info(
    card: ModelCard | None = None, *, is_live: bool = False, fps: float | None = 30.0, dimensions: int = 2
) -> RunInfo:
    """A RunInfo as a session passes it, for 160 x 120 frames; with 3 dimensions, as that of a `MultiViewRig`."""
    return RunInfo(
        card=card or BlobModel().card,
        source="test",
        is_live=is_live,
        frame_size=(160, 120) if dimensions == 2 else None,
        fps=fps,
        frame_count=None,
        started_at=datetime.now(timezone.utc).astimezone(),
        started_clock=time.perf_counter(),
        dimensions=dimensions,
        unit="px" if dimensions == 2 else "mm",
    )


def estimates(
    count: int = 10, *, missing: tuple[int, ...] = (), card: ModelCard | None = None, dimensions: int = 2
) -> Iterator[Estimate]:
    """Estimates as a session passes them to sinks, with the true poses of a BlobSource.

    Args:
        missing: indices of frames in which all keypoints are missing.
        card: the card of a model with other keypoints; the poses are then a grid of points.
        dimensions: 3 for `Pose3D` in a `FrameSet`.
    """
    source = BlobSource(frames=count)
    source.open()
    for index in range(count):
        frame = source.read(1.0)
        if card is None:
            pose = Pose(source.truth(index)[None], source.skeleton)
        else:
            size = (len(card.individuals), len(card.skeleton))
            x, y = np.meshgrid(np.arange(size[1]) * 7.5 + index, np.arange(size[0]) * 11.25 + 5)
            pose = Pose(np.stack([x, y, np.full(size, 0.75)], axis=-1).astype(np.float32), card.skeleton)
        if index in missing:
            pose = Pose.missing(pose.skeleton, len(pose))
        if dimensions == 3:
            frame, pose = FrameSet(frame.image, index, frame.captured_at, frame.device_time, frame.source), lifted(pose)
        now = frame.captured_at
        yield Estimate(frame, pose, now + 0.001, now + 0.004, now + 0.005)


def lifted(pose: Pose) -> Pose3D:
    """The same keypoints in space, ten units above the plane."""
    height = np.where(np.isnan(pose.keypoints[..., :1]), np.float32(np.nan), np.float32(10.0))
    keypoints = np.concatenate([pose.positions, height, pose.confidence[..., None]], axis=-1)
    found = pose.confidence > 0
    error = np.where(found, np.float32(0.5), np.float32(np.nan))
    return Pose3D(keypoints, pose.skeleton, ids=pose.ids, error=error, views=np.where(found, 2, 0), unit="mm")
