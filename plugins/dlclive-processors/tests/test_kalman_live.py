"""The predictor in a live session with a slow model: it makes the latency good."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from dlclive_processors import KalmanPredictor

from dlclive_core import EndOfStream, Estimate, Frame, Session, Sink
from dlclive_core.testing import BlobModel, LiveBlobSource

INTERVAL = 0.01
PACE = 1 / 3
"""The discs' own time: a busy computer takes 100 ms for a pose, in which they turn by less than half a radian."""


class OnTime(LiveBlobSource):
    """Takes each picture when it is due, however long it takes to draw: the world does not wait for the computer."""

    def read(self, timeout: float) -> Frame:
        if not self._next:
            self._due = time.perf_counter()
        index = max(self._next, int((time.perf_counter() - self._due) / INTERVAL))
        if index >= (self.frame_count or 0):
            raise EndOfStream
        at = self._due + index * INTERVAL
        time.sleep(max(0.0, at - time.perf_counter()))
        self._next = index + 1
        return Frame(self.draw(PACE * index), index, at, index * INTERVAL, self.name)


class Keep(Sink):
    """Keeps every estimate."""

    def __init__(self) -> None:
        self.estimates: list[Estimate] = []

    def write(self, estimate: Estimate) -> None:
        self.estimates.append(estimate)


def median_error(processors: list[KalmanPredictor]) -> float:
    """Median distance in px between the poses and where the discs are when the poses are ready."""
    source = OnTime(frames=200, size=(640, 480), interval=INTERVAL)
    sink = Keep()
    Session(source=source, model=BlobModel(delay=0.03), processors=processors, sinks=[sink]).run()
    assert len(sink.estimates) > 15
    errors = []
    for estimate in sink.estimates[10:]:
        moment = estimate.frame.index + (estimate.ready_at - estimate.frame.captured_at) / INTERVAL
        errors.append(estimate.pose.xy[0] - source.truth(PACE * moment)[:, :2])
    return float(np.median(np.hypot(*np.concatenate(errors).T)))


@pytest.mark.slow
def test_latency_is_compensated() -> None:
    """The discs run about 850 px/s, so a pose that is 40 ms old is 34 px behind."""
    slow, made_good = (
        median_error([]),
        median_error([KalmanPredictor(order="acceleration", process_noise=1e5, persistence=math.inf)]),
    )
    assert slow > 15
    assert made_good < 0.5 * slow
