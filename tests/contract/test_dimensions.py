"""The contract of processors that take poses in space, alone or besides those in pixels."""

from dataclasses import replace

import numpy as np
import pytest

from dlclive_core import Frame, Pose, Processor
from dlclive_core.testing import ProcessorContract


class Smooth(Processor):
    """The mean with the last pose, in any number of dimensions."""

    dimensions = (2, 3)

    def __init__(self) -> None:
        self.last = None

    def process(self, pose: Pose, frame: Frame) -> Pose:
        last, self.last = self.last, pose.positions
        if last is None or last.shape != pose.positions.shape:
            return pose
        mean = np.nanmean([last, pose.positions], axis=0) if len(pose) and np.isfinite(last).all() else pose.positions
        confidence = np.where(np.isfinite(mean).all(axis=-1), pose.confidence, 0)
        return replace(pose, keypoints=np.concatenate([mean, confidence[..., None]], axis=-1).astype(np.float32))


class Height(Processor):
    """Poses in space alone."""

    dimensions = (3,)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        _, _, z, confidence = pose.single()[0]
        assert np.isnan(z) or (z == 10.0 and confidence > 0)
        return pose


class TestSmooth(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return Smooth()


class TestHeight(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return Height()
