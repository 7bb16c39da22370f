"""What to tune, and the time budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dlclive_core.data.card import ModelCard
from dlclive_core.errors import UnsupportedModelError, UsageError
from dlclive_core.tuning.split_clip import ClipSplit
from dlclive_core.tuning.student import Student
from dlclive_core.tuning.trial import Goal

RESIZES = (0.75, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TunePlan:
    """What to tune, and within which limits.

    Attributes:
        source: the model's file, and `card` its card.
        frames: the user's clip, split.
        max_error: the largest accepted error in pixels: the 95th percentile over confident keypoints, relative to the model
            in fp32 on whole frames.
        goal: the latency percentile to minimise.
        seconds: total time. What is measured shrinks to fit; an export or a loading that has begun is not interrupted.
        resizes: resize factors to try.
        student: a student of the model, which is tried as well; `frames.evaluated` are such as it has not seen.
    """

    source: Path
    card: ModelCard
    frames: ClipSplit
    max_error: float = 0.5
    goal: Goal = "p50"
    seconds: float = 120.0
    resizes: tuple[float, ...] = RESIZES
    student: Student | None = None

    def __post_init__(self) -> None:
        check_plan(self.max_error, self.seconds)
        if self.card.precision != "fp32":
            raise UnsupportedModelError(
                f"{self.source.name} is in {self.card.precision}: errors are measured against fp32, and other precisions are "
                "exported from it; tune the fp32 model instead"
            )
        if self.card.method == "conditional":
            raise UnsupportedModelError(
                f"{self.source.name} needs the poses of another model, and a profile holds only one model: use dlclive "
                "benchmark --conditions instead"
            )


def check_plan(max_error: float, seconds: float) -> None:
    """Raise UsageError for limits that are out of range."""
    if not 0 < max_error < float("inf"):
        raise UsageError(f"max-error must be a number of pixels above 0; got {max_error:g}")
    if not 1 <= seconds < float("inf"):
        raise UsageError(f"seconds must be a number of seconds from 1 up; got {seconds:g}")


class Budget:
    """A time budget."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock, self._end = clock, clock() + seconds

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - (self._end - self.seconds)

    @property
    def left(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self._end - self._clock())

    def fits(self, seconds_each: float, share: float, least: int, most: int) -> int:
        """The number of repetitions that fit into a share of the remaining time, clipped to `least` and `most`."""
        return int(min(most, max(least, share * self.left / max(seconds_each, 1e-6))))
