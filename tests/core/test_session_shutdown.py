"""The end of a session has a deadline, names what hangs, and skips no step when a signal arrives."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlclive_core import Frame, PluginError, Pose, Processor, RunInfo, Session, Tolerant, UsageError
from dlclive_core.plugins.builtin.memory import MemorySink
from dlclive_core.session import shutdown
from dlclive_core.session.component_calls import close_limit
from dlclive_core.session.events import Events
from dlclive_core.session.handoff import LosslessQueue
from dlclive_core.session.sink_thread import SinkThread
from dlclive_core.testing import BlobModel, BlobSource, LiveBlobSource, run_info

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Hanging components wait for this event, so that no thread outlives its test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten deadlines from seconds to tenths of seconds."""
    monkeypatch.setattr(shutdown, "NAMED_AFTER", 0.1)
    monkeypatch.setattr(shutdown, "_CLOSE", 0.3)
    monkeypatch.setattr(shutdown, "_LAST_FRAME", 0.6)
    monkeypatch.setattr(shutdown, "_SINK", dict.fromkeys(shutdown._SINK, 0.3))


class Closes(Processor):
    close_limit = 0.3

    def __init__(self, order: list[str], name: str, hold: threading.Event | None = None) -> None:
        self._order, self._name, self._hold = order, name, hold

    def process(self, pose: Pose, frame: Frame) -> Pose:
        return pose

    def close(self) -> None:
        if self._hold is not None:
            self._hold.wait()
        self._order.append(self._name)


def test_a_processor_that_hangs_in_close_is_named_and_the_rest_is_closed(
    patience: None, release: threading.Event
) -> None:
    order: list[str] = []
    sink = MemorySink()
    session = Session(
        source=BlobSource(frames=5),
        model=BlobModel(),
        processors=[Closes(order, "first", release), Closes(order, "second")],
        sinks=[sink],
    )
    with pytest.raises(PluginError, match=r"processor Closes has not returned from close for \d+ s and was abandoned"):
        session.run()
    assert order == ["second"]
    assert sink.finished
    assert session.report is not None
    assert not session.report.complete
    assert [event.kind for event in session.report.events] == ["closing"]


@pytest.mark.parametrize("wrapped", [Tolerant, lambda processor: processor], ids=["tolerant", "plain"])
def test_a_processor_that_writes_a_file_in_close_is_waited_for_as_long_as_it_says(wrapped) -> None:
    class Writes(Closes):
        close_limit = 60

        def close(self) -> None:
            until = time.perf_counter() + Processor().close_limit + 0.3
            while time.perf_counter() < until:
                time.sleep(0.01)
            super().close()

    order: list[str] = []
    processor = wrapped(Writes(order, "written"))
    report = Session(source=BlobSource(frames=2), model=BlobModel(), processors=[processor], sinks=[]).run()
    assert order == ["written"]
    assert report.complete


@pytest.mark.parametrize("limit", ["long", None, float("nan"), float("inf"), -1.0])
def test_a_wrong_limit_is_the_default(limit: object) -> None:
    class Wrong(Closes):
        close_limit = limit

    order: list[str] = []
    assert close_limit(Wrong(order, "wrong")) == Processor().close_limit
    Session(source=BlobSource(frames=2), model=BlobModel(), processors=[Wrong(order, "wrong")], sinks=[]).run()
    assert order == ["wrong"]


@pytest.mark.parametrize(("limit", "waits"), [(60, True), ("long", False), (float("nan"), False)])
def test_a_sink_that_writes_a_long_file_at_the_end_is_waited_for_as_long_as_it_says(
    limit: object, waits: bool, patience: None, release: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    class Writes(MemorySink):
        finish_limit = limit  # type: ignore[assignment]
        outputs = (Path("poses.nwb.part"),)  # type: ignore[assignment]

        def finish(self) -> None:
            release.wait(1.0 if waits else None)
            super().finish()

    sink = Writes()
    with caplog.at_level(logging.WARNING):
        report = Session(source=BlobSource(frames=2), model=BlobModel(), sinks=[sink]).run()
    assert sink.finished is waits
    (event,) = [event.text for event in report.events if event.kind == "closing"]
    assert event in caplog.messages
    if waits:  # that it takes time is no fault, and is not called one
        assert event == "poses.nwb is still being written"
    else:
        assert event.startswith("sink poses.nwb has not returned from finish")
    assert ("has not returned from finish" in report.sinks[0].error) is not waits


@pytest.mark.parametrize("method", ["write", "finish", "close"])
def test_a_sink_that_hangs_is_named_and_the_others_are_finished(
    method: str, patience: None, release: threading.Event
) -> None:
    class Hangs(MemorySink):
        def write(self, estimate) -> None:
            if method == "write" and estimate.frame.index == 15:
                release.wait()
            super().write(estimate)

        def finish(self) -> None:
            if method == "finish":
                release.wait()

        def close(self) -> None:
            if method == "close":
                release.wait()

    good = MemorySink()
    report = Session(source=BlobSource(frames=20), model=BlobModel(), sinks=[Hangs(), good]).run()
    assert good.finished
    assert f"has not returned from {method}" in report.sinks[0].error
    assert report.sinks[0].written + report.sinks[0].dropped == 20
    assert report.sinks[0].written == (15 if method == "write" else 20)
    assert report.sinks[1].error == ""


@pytest.mark.parametrize("live", [True, False])
def test_a_processor_that_hangs_in_its_last_frame_does_not_keep_the_others_open(
    live: bool, patience: None, release: threading.Event
) -> None:
    class Hangs(Processor):
        hanging = threading.Event()
        calls = frame = 0

        def process(self, pose: Pose, frame: Frame) -> Pose:
            self.calls += 1
            if self.calls == 4:
                self.frame = frame.index  # a live source may have dropped some before it
                self.hanging.set()
                release.wait()
            return pose

    order: list[str] = []
    hangs, sink = Hangs(), MemorySink()
    session = Session(
        source=LiveBlobSource(frames=10**6, interval=0.01) if live else BlobSource(frames=10**6),
        model=BlobModel(),
        processors=[hangs, Closes(order, "second")],
        sinks=[sink],
    )

    def stop() -> None:
        hangs.hanging.wait()
        session.stop()

    threading.Thread(target=stop, daemon=True).start()
    with pytest.raises(PluginError, match="processor Hangs has not returned from frame") as raised:
        session.run()
    assert f"from frame {hangs.frame}" in str(raised.value)
    assert order == ["second"]
    assert len(sink.indices) == 3
    assert live or sink.indices == [0, 1, 2]
    assert not sink.finished


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process on Windows")
@pytest.mark.parametrize("where", ["processor", "sink", "source"])
def test_a_first_ctrl_c_while_it_closes_skips_nothing(where: str) -> None:
    order: list[str] = []

    def interrupt(here: str) -> None:
        if here == where:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)

    class First(Closes):
        def close(self) -> None:
            interrupt("processor")
            super().close()

    class Interrupted(MemorySink):
        def finish(self) -> None:
            interrupt("sink")
            super().finish()

    class Source(LiveBlobSource):
        def close(self) -> None:
            interrupt("source")
            order.append("source")

    sink = Interrupted()
    session = Session(
        source=Source(frames=5, interval=0.001),
        model=BlobModel(),
        processors=[First(order, "first"), Closes(order, "second")],
        sinks=[sink],
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            session.run()
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(order) == ["first", "second", "source"]
    assert sink.finished
    assert session.report is not None
    assert session.report.complete


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process on Windows")
@pytest.mark.parametrize("method", ["open", "warm-up"])
def test_ctrl_c_while_something_hangs_at_the_start_names_it(
    method: str, patience: None, release: threading.Event
) -> None:
    order: list[str] = []

    def hang() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        release.wait()

    class Hangs(Closes):
        def open(self, run: RunInfo) -> None:
            if method == "open":
                hang()

    class Model(BlobModel):
        def warmup(self, shape: tuple[int, ...]) -> None:
            if method == "warm-up":
                hang()

    session = Session(
        source=LiveBlobSource(frames=5),
        model=Model(),
        processors=[Hangs(order, "first"), Closes(order, "second")],
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            session.run()
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(order) == ["first", "second"]
    assert session.report is not None
    name = {"open": "processor Hangs", "warm-up": "the model"}[method]
    assert f"{name} has not returned from" in session.report.error
    assert method in session.report.error


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process on Windows")
def test_a_second_ctrl_c_ends_the_wait(release: threading.Event) -> None:
    order: list[str] = []

    class Impatient(Closes):
        def close(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGINT)
            release.wait()

    session = Session(
        source=BlobSource(frames=5),
        model=BlobModel(),
        processors=[Impatient(order, "first"), Closes(order, "second")],
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            session.run()
    finally:
        signal.signal(signal.SIGINT, before)
    assert order == ["second"]  # outputs are switched off nevertheless
    assert session.report is not None
    assert not session.report.complete


def test_a_session_cannot_run_twice_at_the_same_time() -> None:
    session = Session(source=LiveBlobSource(frames=10**6, interval=0.01), model=BlobModel())
    thread = threading.Thread(target=session.run)
    thread.start()
    while not session.processed:
        time.sleep(0.01)
    with pytest.raises(UsageError, match="running already"):
        session.run()
    session.stop()
    thread.join()
    assert session.report is not None
    assert session.report.complete


def test_a_stopped_session_can_be_run_again() -> None:
    session = Session(source=BlobSource(frames=10), model=BlobModel())
    session.stop()
    report = session.run()
    assert (report.ending, report.processed) == ("stopped", 0)
    assert session.is_stopped
    assert session.run().processed == 10
    assert not session.is_stopped
    session.stop()  # between two runs: for the next one
    assert session.run().ending == "stopped"


@pytest.mark.parametrize("limit", [float("nan"), 0, -1, 2.5])
def test_an_invalid_frame_limit_is_refused(limit: float) -> None:
    with pytest.raises(UsageError, match="max_frames must be"):
        Session(source=BlobSource(), model=BlobModel(), max_frames=limit)  # type: ignore[arg-type]


def test_an_infinite_frame_limit_is_no_limit() -> None:
    report = Session(source=BlobSource(frames=7), model=BlobModel(), max_frames=float("inf")).run()  # type: ignore[arg-type]
    assert (report.processed, report.ending) == (7, "end of source")


def test_the_cpu_time_of_an_ended_sink_can_be_read() -> None:
    """For an ended thread, the system's function may crash the process."""
    sink = SinkThread(MemorySink(), queue=LosslessQueue(8), events=Events())
    sink.start(run_info())
    sink.stop(complete=True)
    sink.join()
    for _ in range(1000):
        assert (sink.cpu_time() or 0.0) >= 0.0
