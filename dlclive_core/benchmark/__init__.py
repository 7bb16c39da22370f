"""Benchmarks: speed and error of the ways to run a model, interleaved on the same frames."""

from typing import TYPE_CHECKING

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

_RENAMED = {"Turn": "MeasurementProgress"}


if not TYPE_CHECKING:  # to the type checker an old name is unknown

    def __getattr__(name: str) -> object:
        if name in _RENAMED:
            raise ImportError(f"dlclive_core.benchmark.{name} is now {_RENAMED[name]}", name=__name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
