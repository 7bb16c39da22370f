"""The contract of processors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dlclive_core.components import Processor
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.data.pose_3d import Pose3D
from dlclive_core.testing.blobs import BlobModel
from dlclive_core.testing.contracts.base import Contract
from dlclive_core.testing.fakes import estimates, lifted, run_info


class ProcessorContract(Contract):
    """Override `processor`; also override `run` and `poses` if it needs keypoints other than k0, k1, k2."""

    @pytest.fixture
    def processor(self) -> Processor:
        """Must be overridden: a new processor, not opened."""
        raise NotImplementedError

    @pytest.fixture
    def run(self, processor: Processor) -> RunInfo:
        """May be overridden: a run with the keypoints that the processor needs."""
        return run_info(BlobModel().card, dimensions=min(processor.dimensions))

    @pytest.fixture
    def poses(self, processor: Processor) -> list[tuple[Pose, Frame]]:
        """May be overridden: poses of the run's skeleton with their frames, in order."""
        dimensions = min(processor.dimensions)
        return [(item.pose, item.frame) for item in estimates(12, missing=(4, 5), dimensions=dimensions)]

    def test_process_returns_poses_with_the_same_skeleton(
        self, processor: Processor, run: RunInfo, poses: list[tuple[Pose, Frame]]
    ) -> None:
        """Troubleshooting: `process` must return a Pose, even if it changes nothing."""
        with processor:
            processor.open(run)
            for pose, frame in poses:
                result = processor.process(pose, frame)
                assert isinstance(result, Pose)
                assert result.skeleton == pose.skeleton

    def test_process_does_not_modify_its_input(
        self, processor: Processor, run: RunInfo, poses: list[tuple[Pose, Frame]]
    ) -> None:
        """Troubleshooting: other processors and sinks read the same arrays; modify a copy."""
        with processor:
            processor.open(run)
            for pose, frame in poses:
                before = pose.keypoints.copy()
                processor.process(pose, frame)
                np.testing.assert_array_equal(pose.keypoints, before)

    def test_accepts_frames_without_an_animal(
        self, processor: Processor, run: RunInfo, poses: list[tuple[Pose, Frame]]
    ) -> None:
        """Troubleshooting: N may be 0, and a keypoint may be NaN, NaN, 0."""
        (first, frame), skeleton = poses[0], poses[0][0].skeleton
        with processor:
            processor.open(run)
            processor.process(first.missing(skeleton, 0), frame)
            processor.process(first.missing(skeleton, 1), frame)

    def test_an_empty_frame_yields_no_confident_keypoint(
        self, processor: Processor, run: RunInfo, poses: list[tuple[Pose, Frame]]
    ) -> None:
        """A processor does not invent an animal. Troubleshooting: never fill a gap with (0, 0)."""
        (first, frame), skeleton = poses[0], poses[0][0].skeleton
        with processor:
            processor.open(run)
            result = processor.process(first.missing(skeleton, 1), frame)
        assert np.all(result.confidence == 0)

    def test_takes_poses_of_all_its_dimensions(
        self, processor: Processor, run: RunInfo, poses: list[tuple[Pose, Frame]]
    ) -> None:
        """Troubleshooting: with `dimensions = (2, 3)`, use `positions` and `confidence`, not columns of `keypoints`."""
        assert processor.dimensions
        assert set(processor.dimensions) <= {2, 3}
        if set(processor.dimensions) != {2, 3} or poses[0][0].dimensions != 2:
            return
        with processor:
            processor.open(replace(run, dimensions=3, unit="mm"))
            for pose, frame in poses:
                result = processor.process(lifted(pose), frame)
                assert isinstance(result, Pose3D)
                assert (result.confidence[~np.isfinite(result.positions).all(axis=-1)] == 0).all()

    def test_can_be_closed_twice_and_without_open(self, processor: Processor) -> None:
        """Troubleshooting: `close` is called in every case, even if `open` failed or was not called."""
        processor.close()
        processor.close()
