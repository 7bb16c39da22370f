"""What was measured of a candidate."""

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
    """What was measured of a candidate. A failure is a text, and what was measured before it is kept.

    A call is from a numpy frame to a numpy pose in pixels of the frame: cutting, resizing, network, and the way back.

    Attributes:
        candidate: what ran.
        times: (calls,) seconds of each call, in the order of the calls, without the first inference and the warm-up.
        first: seconds of the first inference after loading; NaN if there was none.
        load: seconds of loading; NaN if that failed.
        raw_call: (calls,) seconds of the runtime's own call on the same arrays (`Network.raw_call`), interleaved with `times`;
            empty where they were not requested, and for top-down and conditional networks, which take several calls.
        late: seconds from the moment at which a frame was due to its pose, where frames came at a rate; else empty.
        dropped: how many of those frames were replaced by newer ones before the model was free.
        poses: one for each frame, in pixels of the frame, of the first round; empty if it did not come to its end.
        searched: how many of these frames were looked at whole although a window follows, the first one not counted: the
            animal was lost in the frame before, or in this one where it is looked for at once.
        seen: (width, height) of the largest picture that the network saw; None if it saw none.
        device: what the model says that it runs on.
        card: of the model as loaded; None if that failed.
        failure: what went wrong, in one line; empty if nothing did.
    """

    candidate: Candidate
    times: Seconds = field(default_factory=_none)
    first: float = float("nan")
    load: float = float("nan")
    raw_call: Seconds = field(default_factory=_none)
    late: Seconds = field(default_factory=_none)
    dropped: int = 0
    poses: tuple[Pose, ...] = ()
    searched: int = 0
    seen: tuple[int, int] | None = None
    device: str = ""
    card: ModelCard | None = None
    failure: str = ""

    def percentile(self, share: float) -> float:
        """A percentile of the times, in seconds; NaN without calls."""
        return float(np.percentile(self.times, share)) if len(self.times) else float("nan")

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
        """Frames per second: one over the mean time, never the mean of one over the times, which flatters."""
        return 1.0 / self.mean if len(self.times) else float("nan")

    @property
    def with_first(self) -> Seconds:
        """The times with that of the first inference before them."""
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
