"""Measuring models: many ways to run one, on the same frames, taking turns; time and pixels side by side."""

from dlclive_core.benchmark.accuracy import Accuracy, compare_poses
from dlclive_core.benchmark.candidate import Candidate, Following
from dlclive_core.benchmark.measure import Turn, measure
from dlclive_core.benchmark.measurement import Measurement

__all__ = ["Accuracy", "Candidate", "Following", "Measurement", "Turn", "compare_poses", "measure"]
