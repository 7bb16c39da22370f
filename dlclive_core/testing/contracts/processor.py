"""What every Processor does."""

from __future__ import annotations

import numpy as np
import pytest

from dlclive_core.components import Processor
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.testing.blobs import BlobModel
from dlclive_core.testing.contracts.base import Contract
from dlclive_core.testing.fakes import estimates, run_info


class ProcessorContract(Contract):
    """Override `processor` with a fresh one; override `run` and `poses` if it needs other keypoints than k0, k1, k2."""

    @pytest.fixture
    def processor(self) -> Processor:
        """Must be overridden: a fresh processor, not opened."""
        raise NotImplementedError

    @pytest.fixture
    def run(self) -> RunInfo:
        """May be overridden: a run with the keypoints that the processor needs."""
        return run_info(BlobModel().card)

    @pytest.fixture
    def poses(self) -> list[tuple[Pose, Frame]]:
        """May be overridden: poses with their frames, in order, of the run's skeleton."""
        return [(item.pose, item.frame) for item in estimates(12, missing=(4, 5))]

    def test_returns_poses_of_the_same_skeleton(
        self, processor: Processor, run: RunInfo, poses: list[tuple[Pose, Frame]]
    ) -> None:
        """Troubleshooting: `process` must return a Pose, also when it changes nothing."""
        with processor:
            processor.open(run)
            for pose, frame in poses:
                answer = processor.process(pose, frame)
                assert isinstance(answer, Pose)
                assert answer.skeleton == pose.skeleton

    def test_leaves_the_given_pose_alone(
        self, processor: Processor, run: RunInfo, poses: list[tuple[Pose, Frame]]
    ) -> None:
        """Troubleshooting: other processors and sinks read the same arrays; write into a copy."""
        with processor:
            processor.open(run)
            for pose, frame in poses:
                before = pose.keypoints.copy()
                processor.process(pose, frame)
                np.testing.assert_array_equal(pose.keypoints, before)

    def test_takes_frames_with_no_animal(
        self, processor: Processor, run: RunInfo, poses: list[tuple[Pose, Frame]]
    ) -> None:
        """Troubleshooting: N may be 0, and a keypoint may be NaN, NaN, 0."""
        skeleton, frame = poses[0][0].skeleton, poses[0][1]
        with processor:
            processor.open(run)
            processor.process(Pose.missing(skeleton, 0), frame)
            processor.process(Pose.missing(skeleton, 1), frame)

    def test_finds_no_confident_keypoint_in_an_empty_frame(
        self, processor: Processor, run: RunInfo, poses: list[tuple[Pose, Frame]]
    ) -> None:
        """From nothing, a processor makes no animal. Troubleshooting: never fill a gap with (0, 0)."""
        skeleton, frame = poses[0][0].skeleton, poses[0][1]
        with processor:
            processor.open(run)
            answer = processor.process(Pose.missing(skeleton, 1), frame)
        assert np.all(answer.confidence == 0)

    def test_closes_twice_and_unopened(self, processor: Processor) -> None:
        """Troubleshooting: `close` is called whatever happened before."""
        processor.close()
        processor.close()
