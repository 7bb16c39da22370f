"""A source that contradicts its frames is reported once, and its wrong values are not used."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dlclive_core import ClockRate, EndOfStream, Frame, FrameSource, Pose, Processor, Session, SessionReport
from dlclive_core.session.capture_time import CaptureTime
from dlclive_core.session.events import Events
from dlclive_core.session.source_check import SourceCheck
from dlclive_core.session.source_facts import SourceFacts
from dlclive_core.testing import NullModel

IMAGE = np.zeros((48, 64, 3), np.uint8)


class Camera(FrameSource):
    """Yields `make(number)` for each frame number."""

    name = "camera"
    is_live = True
    frame_size = (64, 48)

    def __init__(self, make: Callable[[int], Frame], frames: int = 10) -> None:
        self.make, self.frames, self.count = make, frames, 0

    def read(self, timeout: float) -> Frame:
        if self.count == self.frames:
            raise EndOfStream
        time.sleep(0.005)
        self.count += 1
        return self.make(self.count - 1)


def run(make: Callable[[int], Frame], frames: int = 10) -> SessionReport:
    return Session(source=Camera(make, frames), model=NullModel()).run()


def events(report: SessionReport, kind: str) -> list[str]:
    return [event.text for event in report.events if event.kind == kind]


def stamped(clock: Callable[[], float]) -> Callable[[int], Frame]:
    return lambda number: Frame(IMAGE, number, clock())


@pytest.mark.parametrize(
    ("clock", "message"),
    [
        (time.time, "s in the future"),
        (lambda: time.perf_counter() + 0.5, "0.5 s in the future"),
        (lambda: 1e9 * time.perf_counter(), "s in the future"),
    ],
)
def test_a_wrong_clock_is_reported_once(
    clock: Callable[[], float], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        report = run(stamped(clock))
    (text,) = events(report, "clock")
    assert text.startswith("camera: captured_at is ")
    assert message in text
    assert "time.perf_counter()" in text
    assert caplog.text.count(text) == 1
    assert report.processed + report.dropped == 10
    assert report.stage("latency").count == 0
    assert report.stage("latency").mean_ms == 0


def test_frames_that_are_old_when_read_are_reported_once() -> None:
    """Timestamps from a clock that started later than the host's look like delayed frames."""
    (text,) = events(run(stamped(lambda: time.perf_counter() - 7)), "age")
    assert text.startswith("camera: frame 0 was 7.0 s old when read")


def test_the_right_clock_is_not_reported() -> None:
    report = run(stamped(time.perf_counter))
    assert {event.kind for event in report.events} <= {"stale", "recovered"}  # a busy computer may be late
    assert report.stage("latency").count == report.processed


def test_a_size_other_than_declared_is_reported_once() -> None:
    """Also for a recording, whose container may be wrong."""
    image = np.zeros((96, 128, 3), np.uint8)
    report = run(lambda number: Frame(image, number, time.perf_counter()))
    assert events(report, "size") == ["camera: it declares 64x48, but frame 0 is 128x96"]


def test_a_notice_from_the_source_is_reported_once() -> None:
    camera = Camera(stamped(time.perf_counter))
    camera.notices = ("camera: the lens cap is on",)
    report = Session(source=camera, model=NullModel()).run()
    assert events(report, "source") == ["camera: the lens cap is on"]


def test_a_frame_older_than_the_last_one_is_dropped() -> None:
    """The newest frame wins, and sinks get frames in order."""
    order = [0, 1, 2, 4, 3, 5, 7, 6, 8, 9]
    indices: list[int] = []

    class See(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            indices.append(frame.index)
            return pose

    camera = Camera(lambda number: Frame(IMAGE, order[number], time.perf_counter()))
    report = Session(source=camera, model=NullModel(), processors=[See()]).run()
    assert indices == sorted(indices)
    assert not {3, 6} & set(indices)
    assert (report.frames_read, report.processed + report.dropped) == (10, 10)
    assert events(report, "order") == ["camera: frame 3 came after frame 4; late frames are dropped"]


def checked(source: FrameSource, frames: list[tuple[float, Frame]]) -> list[str]:
    """The kinds of the events, for frames read at these times."""
    log = Events()
    check, times = SourceCheck(source, SourceFacts(source, log), log), CaptureTime()
    for now, frame in frames:
        check.check(times.corrected(frame), now, times.rate)
    return [event.kind for event in log.all()]


def paced(fps: float, seconds: float, clock: float = 1.0) -> list[tuple[float, Frame]]:
    times = [(100 + number / fps, number / fps * clock) for number in range(int(seconds * fps))]
    return [(now, Frame(IMAGE, number, now, device)) for number, (now, device) in enumerate(times)]


@pytest.mark.parametrize(
    ("declared", "delivered", "reported"),
    [(120, 30, ["rate"]), (25, 50, ["rate"]), (30, 29.97, []), (30, 25, []), (None, 5, []), (5, 1, ["rate"])],
)
def test_a_rate_other_than_declared_is_reported(declared: float | None, delivered: float, reported: list[str]) -> None:
    camera = Camera(stamped(time.perf_counter))
    camera.fps = declared
    assert checked(camera, paced(delivered, 10)) == reported


def test_a_stall_does_not_change_the_rate() -> None:
    camera = Camera(stamped(time.perf_counter))
    camera.fps = 30
    frames = [(now + (2 if frame.index > 90 else 0), frame) for now, frame in paced(30, 10)]
    assert checked(camera, [(now, replace(frame, captured_at=now, device_time=None)) for now, frame in frames]) == []


def test_the_measured_rate_replaces_a_wrong_declared_one() -> None:
    camera = Camera(stamped(time.perf_counter))
    camera.fps = 120
    log = Events()
    check = SourceCheck(camera, SourceFacts(camera, log), log)
    assert check.fps == 120
    for now, frame in paced(10, 5):
        check.check(frame, now, ClockRate())
    assert check.fps == pytest.approx(10)


@pytest.mark.parametrize(("clock", "reported"), [(1.0, []), (0.125, ["device clock"]), (0.001, ["device clock"])])
def test_a_camera_clock_in_another_unit_is_reported(clock: float, reported: list[str]) -> None:
    assert checked(Camera(stamped(time.perf_counter)), paced(50, 10, clock)) == reported
