"""The watchdog of live sessions: sources that stall, models and processors that hang, and other events."""

import io
import sys
import threading
import time

import numpy as np
import pytest

from dlclive_core import Frame, FrameSource, MemorySink, Pose, Processor, Session, UsageError
from dlclive_core.testing import BlobModel, BlobSource, LiveBlobSource, StallingSource


class Sleepy(Processor):
    """Sleeps at one frame."""

    def __init__(self, at: int, seconds: float) -> None:
        self._at, self._seconds = at, seconds

    def process(self, pose: Pose, frame: Frame) -> Pose:
        if frame.index == self._at:
            time.sleep(self._seconds)
        return pose


def states_of(session: Session) -> dict[str, float]:
    """Run the session; return its states with the time when each was first observed."""
    states: dict[str, float] = {session.state: time.perf_counter()}
    thread = threading.Thread(target=session.run)
    thread.start()
    while thread.is_alive():
        states.setdefault(session.state, time.perf_counter())
        time.sleep(0.002)
    states.setdefault(session.state, time.perf_counter())
    return states


def test_trouble_that_comes_with_the_last_frame_is_told() -> None:
    class Failing(LiveBlobSource):
        trouble = ""

        def read(self, timeout: float) -> Frame:
            frame = super().read(timeout)
            if frame.index == 4:
                Failing.trouble = "the cable is loose"
            return frame

    session = Session(source=Failing(frames=5, interval=0.001), model=BlobModel(), sinks=[MemorySink()])
    assert [event.text for event in session.run().events if event.kind == "trouble"] == ["the cable is loose"]


def test_a_stalling_source_is_stale_until_it_recovers() -> None:
    at_opening = []

    class Stalling(StallingSource):
        def open(self) -> None:
            at_opening.append(session.state)
            super().open()

    sink = MemorySink()
    source = Stalling(at=20, seconds=0.5, frames=120)
    session = Session(source=source, model=BlobModel(), sinks=[sink])
    states = states_of(session)
    assert at_opening == ["starting"]
    assert (next(iter(states)), list(states)[-1]) == ("idle", "ended")
    assert "stale" in states
    report = session.report
    assert report is not None
    assert report.stalls >= 1
    assert 0.4 < report.longest_stall < 5
    assert report.reconnects == 1
    assert report.lost == 50
    kinds = [event.kind for event in report.events]
    assert {"stale", "trouble", "recovered"} <= set(kinds)
    assert kinds.index("stale") < kinds.index("recovered")
    assert max(sink.indices) > 100  # the session continued
    assert report.frames_read == report.processed + report.dropped


def test_stale_after_sets_the_time_until_stale() -> None:
    session = Session(
        source=StallingSource(at=5, seconds=0.3, frames=50), model=BlobModel(), stale_after=60, deadline=60
    )
    report = session.run()
    assert (report.stalls, [event.kind for event in report.events]) == (0, ["trouble"])
    for option in ({"stale_after": 0}, {"deadline": 0}):
        with pytest.raises(UsageError, match="more than 0"):
            Session(source=BlobSource(), model=BlobModel(), **option)


@pytest.mark.parametrize("component", ["processor Sleepy", "the model"])
def test_a_hanging_component_is_named_and_the_stacks_are_printed_once(
    component: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    class SleepyModel(BlobModel):
        calls = 0

        def predict(self, image, *, boxes=None):
            self.calls += 1
            if self.calls in (20, 30):
                time.sleep(0.8)
            return super().predict(image, boxes=boxes)

    written: list[float] = []

    class Clock(MemorySink):
        def write(self, estimate) -> None:
            time.sleep(0.05)
            super().write(estimate)
            written.append(time.perf_counter())

    source = LiveBlobSource(frames=140, interval=0.01)
    processors = [Sleepy(20, 0.8)] if component != "the model" else []
    model = SleepyModel() if component == "the model" else BlobModel()
    session = Session(
        source=source, model=model, processors=processors, sinks=[Clock()], deadline=0.4, stale_after=60, queue_size=100
    )
    states = states_of(session)
    assert "hanging" in states
    assert session.report is not None
    hanging = [event for event in session.report.events if event.kind == "hanging"]
    released = [event for event in session.report.events if event.kind == "released"]
    assert hanging[0].text.startswith(f"{component} is hanging: no result for frame ")
    assert 0.4 < released[0].at - hanging[0].at + 0.4 < 10
    hanging_at = states["hanging"]
    assert sum(hanging_at < moment < hanging_at + 0.35 for moment in written) > 1  # the sinks continued
    err = capfd.readouterr().err
    assert err.count("Current thread") == 1
    assert "time.sleep" in err or "in process" in err or "in predict" in err
    assert f"{component} is hanging: no result for frame" in caplog.text


def test_recordings_have_no_deadline() -> None:
    report = Session(
        source=BlobSource(frames=5), model=BlobModel(), processors=[Sleepy(2, 0.3)], deadline=0.1, stale_after=0.1
    ).run()
    assert (report.events, report.stalls) == ((), 0)


def test_no_stacks_are_printed_if_standard_error_is_not_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from dlclive_core.session.watchdog import dump_stacks

    text = io.StringIO()
    monkeypatch.setattr(sys, "stderr", text)
    monkeypatch.setattr(sys, "__stderr__", None)
    dump_stacks()
    assert text.getvalue() == ""


def test_a_change_of_the_frames_shape_is_an_event() -> None:
    class Changing(BlobSource):  # not live, so that no frame is dropped
        def read(self, timeout: float) -> Frame:
            frame = super().read(timeout)
            image = frame.image if frame.index < 10 else frame.image[:100, :140]
            image = image if frame.index < 20 else np.ascontiguousarray(image[:, :, 0])
            return Frame(image, frame.index, frame.captured_at)

    sink = MemorySink()
    report = Session(source=Changing(frames=40), model=BlobModel(), sinks=[sink]).run()
    texts = [event.text for event in report.events if event.kind == "shape"]
    assert [text.split(" is ")[1] for text in texts] == [
        "140 x 100 RGB, previously 160 x 120 RGB",
        "140 x 100 grey, previously 140 x 100 RGB",
    ]
    assert report.complete


def test_a_source_that_does_not_return_from_read_is_abandoned() -> None:
    release = threading.Event()

    class Stuck(FrameSource):
        is_live = True
        name = "stuck camera"

        def read(self, timeout: float) -> Frame:
            release.wait(30)
            raise TimeoutError

    sink = MemorySink()
    session = Session(source=Stuck(), model=BlobModel(), sinks=[sink])
    threading.Timer(0.1, session.stop).start()
    began = time.perf_counter()
    report = session.run()
    release.set()
    assert time.perf_counter() - began < 5
    assert [event.kind for event in report.events][-1] == "lingers"
    assert (report.ending, sink.finished) == ("stopped", True)


def test_progress_while_it_runs() -> None:
    session = Session(
        source=LiveBlobSource(frames=10**6, interval=0.005), model=BlobModel(delay=0.02), sinks=[MemorySink()]
    )
    assert session.progress.state == session.state == "idle"
    assert (session.stages, session.events) == ((), ())
    thread = threading.Thread(target=session.run)
    thread.start()
    try:
        until = time.perf_counter() + 20
        while session.processed < 5 and time.perf_counter() < until:
            time.sleep(0.01)
        progress = session.progress
        assert progress.frames_read >= progress.processed >= 5
        assert progress.dropped > 0
        assert progress.latency >= 0.02
        assert {stage.stage: stage.count for stage in session.stages}["inference"] >= 5
    finally:
        session.stop()
        thread.join(20)
    assert session.state == "ended"


def test_events_are_bounded() -> None:
    from dlclive_core.session.events import Events

    events = Events()
    for number in range(1200):
        events.add("shape", str(number))
    assert len(events.all()) == 1000
    assert events.omitted == 200


def test_the_switch_interval_is_short_only_while_a_live_session_runs() -> None:
    intervals: list[float] = []

    class Record(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            intervals.append(sys.getswitchinterval())
            return pose

    before = sys.getswitchinterval()
    for source in (BlobSource(frames=1), LiveBlobSource(frames=1)):
        Session(source=source, model=BlobModel(), processors=[Record()]).run()
    assert intervals == [pytest.approx(before), pytest.approx(1e-4)]
    assert sys.getswitchinterval() == pytest.approx(before)
