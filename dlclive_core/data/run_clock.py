"""The clock of a run: the computer's while it is live, that of the recording when it is replayed."""

from __future__ import annotations

import math
import time


class RunClock:
    """What processors ask for the time, so that a replay can answer for the run that was recorded.

    Attributes:
        posed_at: when the model returned the pose of the frame that is processed, `Estimate.inference_ended`. Set before the
            first processor, it is the same for all of them, and it is recorded: what is computed from it alone is computed
            again, to the last bit, when the run is replayed. NaN if nobody sets it.
    """

    def __init__(self) -> None:
        self.posed_at = math.nan

    def now(self) -> float:
        """`time.perf_counter()` at this moment; in a replay, `posed_at`."""
        return time.perf_counter()


class ReplayClock(RunClock):
    """The clock of a replay, which stands at `posed_at` of the frame that is processed.

    Args:
        started_clock: what it shows before the first frame.
    """

    def __init__(self, started_clock: float) -> None:
        super().__init__()
        self.posed_at = started_clock

    def now(self) -> float:
        """`posed_at`."""
        return self.posed_at
