"""The measurement of a candidate."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.data.card import ModelCard
from dlclive_core.data.pose import Pose

Seconds = NDArray[np.float64]


def _none() -> Seconds:
    return np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The times and poses of a candidate. Values measured before a failure are kept.

    A call takes a numpy frame and returns a numpy pose in frame pixels: crop, resize, network, and conversion back.

    Attributes:
        candidate: the candidate.
        times: (calls,) seconds per call, in order, without the first inference and warm-up.
        first: seconds of the first inference after loading; NaN if there was none.
        load: seconds of loading; NaN if it failed.
        raw_call: (calls,) seconds of the runtime's own call on the same arrays (`Network.raw_call`), interleaved with `times`;
            empty if not requested, and for top-down and conditional networks, which need several calls.
        lateness: seconds from when a replayed frame was due to its pose; empty without a replay.
        dropped: number of replayed frames that were replaced by newer ones before the model was free.
        poses: one per frame of the first round, in frame pixels; empty if the round was not completed.
        searched: number of these frames, except the first, that were searched whole although a window follows: the animal
            was lost in the previous frame, or in the same one if the window searches at once.
        input_size: (width, height) of the network's largest input; None if there was none.
        device: the device that the model reports.
        card: card of the loaded model; None if loading failed.
        failure: the reason in one line; empty on success.
    """

    candidate: Candidate
    times: Seconds = field(default_factory=_none)
    first: float = float("nan")
    load: float = float("nan")
    raw_call: Seconds = field(default_factory=_none)
    lateness: Seconds = field(default_factory=_none)
    dropped: int = 0
    poses: tuple[Pose, ...] = ()
    searched: int = 0
    input_size: tuple[int, int] | None = None
    device: str = ""
    card: ModelCard | None = None
    failure: str = ""

    def percentile(self, percent: float) -> float:
        """A percentile of the times, in seconds; NaN without calls."""
        return float(np.percentile(self.times, percent)) if len(self.times) else float("nan")

    @property
    def p50(self) -> float:
        return self.percentile(50)

    @property
    def p95(self) -> float:
        return self.percentile(95)

    @property
    def p99(self) -> float:
        return self.percentile(99)

    @property
    def max(self) -> float:
        return self.percentile(100)

    @property
    def mean(self) -> float:
        return float(self.times.mean()) if len(self.times) else float("nan")

    @property
    def sd(self) -> float:
        return float(self.times.std()) if len(self.times) else float("nan")

    @property
    def fps(self) -> float:
        """Frames per second: the reciprocal of the mean time, not the mean of reciprocals, which would be too high."""
        return 1.0 / self.mean if len(self.times) else float("nan")

    @property
    def with_first(self) -> Seconds:
        """The times, preceded by that of the first inference."""
        return np.concatenate([[self.first], self.times]) if np.isfinite(self.first) else self.times

    @property
    def overhead(self) -> float:
        """Time of a call relative to the raw call: the ratio of the medians; NaN without raw calls."""
        return float(self.p50 / np.median(self.raw_call)) if len(self.raw_call) else float("nan")

    @property
    def overhead_seconds(self) -> float:
        """Time of a call minus that of the raw call: the median of the paired differences; NaN without raw calls."""
        pairs = min(len(self.raw_call), len(self.times))
        return float(np.median(self.times[:pairs] - self.raw_call[:pairs])) if pairs else float("nan")
