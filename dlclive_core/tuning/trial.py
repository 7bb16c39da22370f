"""Trials: the speed and error of a candidate, and the frames in which it lost the animal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dlclive_core.benchmark.accuracy import FLIP_PX, Accuracy, compare_poses, distances
from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.benchmark.peak import Peak
from dlclive_core.benchmark.verdict import verdict_on
from dlclive_core.data.pose import Pose
from dlclive_core.export.parity import CONFIDENT
from dlclive_core.profiles import TableRow

Goal = Literal["p50", "p99"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Speed and error of one candidate.

    Attributes:
        candidate: the candidate.
        p50, p99: seconds per call; NaN if it did not run.
        p95_px: the 95th percentile of the error over the confident keypoints; NaN if unknown.
        lost: frames in which the animal was lost: of the reference's confident keypoints, the candidate finds none with
            confidence within 5 px.
        frames: number of frames.
        failure: why it did not run, in one line; empty if it ran.
        final: whether it is a finalist, measured on all frames.
    """

    candidate: Candidate
    p50: float = math.nan
    p99: float = math.nan
    p95_px: float = math.nan
    lost: int = 0
    frames: int = 0
    failure: str = ""
    final: bool = False

    def time(self, goal: Goal) -> float:
        """The latency percentile to minimise, in seconds."""
        return self.p50 if goal == "p50" else self.p99

    def is_within(self, max_error: float) -> bool:
        """Whether it ran and its error is at most `max_error` pixels."""
        return not self.failure and self.p95_px <= max_error

    def table_row(self, max_error: float) -> TableRow:
        """The trial as a row of the profile's table."""
        ran = not self.failure
        return TableRow(
            label=self.candidate.label,
            p50_ms=round(1000 * self.p50, 4) if ran else None,
            p99_ms=round(1000 * self.p99, 4) if ran else None,
            p95_px=round(self.p95_px, 4) if ran and not math.isnan(self.p95_px) else None,
            lost=self.lost,
            frames=self.frames,
            why=self.failure or ("" if self.is_within(max_error) else f"off by more than {max_error:g} px"),
        )


def trial_of(measurement: Measurement, reference: Sequence[Pose], *, final: bool = False) -> Trial:
    """Evaluate a measurement against the reference's poses of the same frames."""
    verdict = verdict_on(measurement, (), math.nan, Peak())
    failure = verdict.why if verdict.state in ("failed", "rejected") else ""
    accuracy: Accuracy | None = compare_poses(reference, measurement.poses) if measurement.poses else None
    return Trial(
        candidate=measurement.candidate,
        p50=measurement.p50,
        p99=measurement.p99,
        p95_px=math.nan if accuracy is None else accuracy.p95_px,
        lost=count_lost(reference, measurement.poses) if measurement.poses else 0,
        frames=len(measurement.poses),
        failure=failure,
        final=final,
    )


def count_lost(reference: Sequence[Pose], candidate: Sequence[Pose]) -> int:
    """Count the frames in which the reference has confident keypoints and the candidate finds none of them."""
    return sum(_is_lost(expected, actual) for expected, actual in zip(reference, candidate, strict=True))


def count_confident(poses: Sequence[Pose]) -> int:
    """Count the confident keypoints of the poses."""
    return sum(int((pose.confidence >= CONFIDENT).sum()) for pose in poses)


def _is_lost(expected: Pose, actual: Pose) -> bool:
    confident = actual.confidence >= CONFIDENT
    keypoints = np.where(confident[..., None], actual.keypoints, np.nan).astype(np.float32)
    distance = distances(expected, Pose(keypoints, actual.skeleton, ids=actual.ids))
    return len(distance) > 0 and not (distance <= FLIP_PX).any()
