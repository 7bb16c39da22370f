"""The processor meets the contract of all processors and counts correctly."""

from pathlib import Path

import numpy as np
import pytest
from lab_reward import SpeedGate

from dlclive_core import Frame, OutputExistsError, Pose, Processor, UsageError
from dlclive_core.testing import ProcessorContract, blob_skeleton, run_info

IMAGE = np.zeros((4, 4, 3), dtype=np.uint8)


class TestSpeedGate(ProcessorContract):
    @pytest.fixture
    def processor(self, tmp_path: Path) -> Processor:
        return SpeedGate(limit=100.0, keypoint="k0", log=tmp_path / "darts.csv")


def run_along(gate: SpeedGate, xs: list[float]) -> None:
    """Process ten frames per second with the keypoint at these x positions; NaN: missing."""
    with gate:
        gate.open(run_info())
        for number, x in enumerate(xs):
            pose = Pose.missing(blob_skeleton())
            if x == x:
                keypoints = pose.keypoints.copy()
                keypoints[0, 0] = x, 5, 1
                pose = Pose(keypoints, pose.skeleton)
            assert gate.process(pose, Frame(IMAGE, number, number * 0.1)) is pose


def test_counts_darts(tmp_path: Path) -> None:
    gate = SpeedGate(limit=100.0, keypoint="k0", log=tmp_path / "darts.csv")
    run_along(gate, [0, 5, 25, 45, 50, 50, 80])  # 50, 200, 200, 50, 0, 300 px/s
    assert gate.darts == 2
    assert (tmp_path / "darts.csv").read_text() == "frame,seconds,speed\n2,0.200000,200.0\n6,0.600000,300.0\n"


def test_a_missing_keypoint_is_not_a_dart() -> None:
    """20 px in 0.3 s is 67 px/s; a keypoint at (0, 0) in between would count as a dart."""
    gate = SpeedGate(limit=100.0, keypoint="k0")
    run_along(gate, [50, float("nan"), float("nan"), 70])
    assert gate.darts == 0


def test_bad_options_are_rejected() -> None:
    with pytest.raises(UsageError, match="above 0"):
        SpeedGate(limit=0)
    with pytest.raises(UsageError, match="no keypoint 'snout'"):
        SpeedGate(limit=1.0).open(run_info())


def test_an_existing_log_is_not_overwritten(tmp_path: Path) -> None:
    log = tmp_path / "darts.csv"
    log.write_text("yesterday")
    with pytest.raises(OutputExistsError):
        SpeedGate(limit=1.0, keypoint="k0", log=log).open(run_info())
    assert log.read_text() == "yesterday"
