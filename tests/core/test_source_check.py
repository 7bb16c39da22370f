"""What a source says of its frames against the frames that come: said once, and no number made of it."""

import logging
import time
from collections.abc import Callable

import numpy as np
import pytest

from dlclive_core import EndOfStream, Frame, FrameSource, Session, SessionReport
from dlclive_core.testing import NullModel

IMAGE = np.zeros((48, 64, 3), np.uint8)


class Camera(FrameSource):
    """Gives what `make` makes of each number."""

    name = "camera"
    is_live = True
    frame_size = (64, 48)

    def __init__(self, make: Callable[[int], Frame], frames: int = 10) -> None:
        self.make, self.frames, self.given = make, frames, 0

    def read(self, timeout: float) -> Frame:
        if self.given == self.frames:
            raise EndOfStream
        time.sleep(0.005)
        self.given += 1
        return self.make(self.given - 1)


def run(make: Callable[[int], Frame], frames: int = 10) -> SessionReport:
    return Session(source=Camera(make, frames), model=NullModel()).run()


def events(report: SessionReport, kind: str) -> list[str]:
    return [event.text for event in report.events if event.kind == kind]


def stamped(clock: Callable[[], float]) -> Callable[[int], Frame]:
    return lambda number: Frame(IMAGE, number, clock())


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        (time.time, "s in the future"),
        (lambda: time.perf_counter() + 0.5, "0.5 s in the future"),
        (lambda: 1e9 * time.perf_counter(), "s in the future"),
        (lambda: float("inf"), "inf s in the future"),
        (lambda: float("nan"), "not a time"),
    ],
)
def test_another_clock_is_said_once(clock: Callable[[], float], said: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        report = run(stamped(clock))
    (text,) = events(report, "clock")
    assert text.startswith("camera: captured_at is ")
    assert said in text
    assert "time.perf_counter()" in text
    assert caplog.text.count(text) == 1
    assert report.processed + report.dropped == 10
    assert report.stage("latency").count == 0
    assert report.stage("latency").mean_ms == 0


def test_frames_that_are_old_when_they_are_read_are_said_once() -> None:
    """A camera's own clock that began later than ours looks like frames that waited."""
    (text,) = events(run(stamped(lambda: time.perf_counter() - 7)), "age")
    assert text.startswith("camera: frame 0 is 7.0 s old when it is read")


def test_the_right_clock_is_not_mentioned() -> None:
    report = run(stamped(time.perf_counter))
    assert report.events == ()
    assert report.stage("latency").count == report.processed
