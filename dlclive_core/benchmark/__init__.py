"""Measuring models: many ways to run one, on the same frames, taking turns; time and pixels side by side."""

from dlclive_core.benchmark.accuracy import Accuracy, compare_poses
from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.interleaved import Turn, measure
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.regions import FollowingCropSpec

__all__ = ["Accuracy", "Candidate", "FollowingCropSpec", "Measurement", "Turn", "compare_poses", "measure"]
