"""Benchmarks: speed and error of different ways to run a model, interleaved on the same frames."""

from dlclive_core.benchmark.accuracy import Accuracy, compare_poses
from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.interleaved import MeasurementProgress, measure
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.regions import FollowingCropSpec

__all__ = [
    "Accuracy",
    "Candidate",
    "FollowingCropSpec",
    "Measurement",
    "MeasurementProgress",
    "compare_poses",
    "measure",
]
