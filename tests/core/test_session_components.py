"""Whatever components raise, return or declare, the session ends in order and names them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dlclive_core import (
    DLCLiveError,
    Frame,
    FrameSource,
    ModelError,
    PluginError,
    Pose,
    Processor,
    RunInfo,
    Session,
    SessionReport,
    Skeleton,
    SourceError,
    Tolerant,
)
from dlclive_core.plugins.builtin.memory import MemorySink
from dlclive_core.testing import BlobModel, BlobSource, LiveBlobSource


class Panic(BaseException):
    """Like the exception of a library written in Rust."""


RAISED = [SystemExit(0), asyncio.CancelledError(), Panic("in Rust"), GeneratorExit(), MemoryError(), RuntimeError("no")]


class Raises:
    """A mixin that raises in one method; read, write, process and predict raise at the third call."""

    def __init__(self, method: str, error: BaseException, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._method, self._error, self._calls = method, error, 0

    def _maybe(self, method: str) -> None:
        if method == self._method:
            self._calls += 1
            if method in ("open", "finish", "close") or self._calls > 3:
                raise self._error


class Source(Raises, BlobSource):
    def open(self) -> None:
        super().open()
        self._maybe("open")

    def read(self, timeout: float) -> Frame:
        self._maybe("read")
        return super().read(timeout)

    def close(self) -> None:
        super().close()
        self._maybe("close")


class LiveSource(Source, LiveBlobSource):
    pass


class Model(Raises, BlobModel):
    def predict(self, image, *, boxes=None) -> Pose:
        self._maybe("predict")
        return super().predict(image, boxes=boxes)


class Filter(Raises, Processor):
    def open(self, run: RunInfo) -> None:
        self._maybe("open")

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self._maybe("process")
        return pose

    def close(self) -> None:
        self._maybe("close")


class Store(Raises, MemorySink):
    def open(self, run: RunInfo) -> None:
        super().open(run)
        self._maybe("open")

    def write(self, estimate) -> None:
        self._maybe("write")
        super().write(estimate)

    def finish(self) -> None:
        self._maybe("finish")
        super().finish()

    def close(self) -> None:
        super().close()
        self._maybe("close")


class Closed(Processor):
    closed = False

    def process(self, pose: Pose, frame: Frame) -> Pose:
        return pose

    def close(self) -> None:
        self.closed = True


def run(**parts: Any) -> tuple[SessionReport, DLCLiveError | None, MemorySink, Closed]:
    """Run a session with these parts plus a processor and a sink; the error is the one that `run` raised."""
    sink, closed = MemorySink(), Closed()
    session = Session(
        source=parts.get("source") or BlobSource(frames=20),
        model=parts.get("model") or BlobModel(),
        processors=[*parts.get("processors", ()), closed],
        sinks=[*parts.get("sinks", ()), sink],
    )
    error = None
    try:
        session.run()
    except DLCLiveError as raised:
        error = raised
    assert session.report is not None
    report = session.report
    assert report.frames_read == report.processed + report.dropped
    for result in report.sinks:
        assert result.written + result.dropped == report.processed
    assert closed.closed
    return report, error, sink, closed


@pytest.mark.timeout(60)
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("part", "method", "kind"),
    [
        ("source", "open", SourceError),
        ("source", "read", SourceError),
        ("source", "close", SourceError),
        ("live", "read", SourceError),
        ("model", "predict", ModelError),
        ("processor", "open", PluginError),
        ("processor", "process", PluginError),
        ("processor", "close", PluginError),
    ],
)
def test_any_exception_ends_the_session_and_names_the_component(
    part: str, method: str, kind: type[DLCLiveError], error: BaseException
) -> None:
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "source": lambda: {"source": Source(method, error, frames=20)},
        "live": lambda: {"source": LiveSource(method, error, frames=20, interval=0.01)},
        "model": lambda: {"model": Model(method, error)},
        "processor": lambda: {"processors": [Filter(method, error)]},
    }
    report, raised, sink, _ = run(**parts[part]())
    name = {"source": "blobs", "live": "blobs", "model": "the model", "processor": "processor Filter"}[part]
    assert type(raised) is kind
    assert name in str(raised)
    assert type(error).__name__ in str(raised)
    assert (report.ending, report.complete) == ("error", False)
    assert report.error == str(raised)
    assert sink.finished == (method == "close")  # every pose is there, so the files are finished


@pytest.mark.timeout(60)
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", ["write", "finish", "close"])
@pytest.mark.parametrize("live", [False, True], ids=["recording", "live"])
def test_an_exception_detaches_only_its_sink(method: str, error: BaseException, live: bool) -> None:
    source = LiveBlobSource(frames=20, interval=0.005) if live else BlobSource(frames=20)
    report, raised, sink, _ = run(source=source, sinks=[Store(method, error)])
    assert raised is None
    assert sink.finished
    assert type(error).__name__ in report.sinks[0].error
    assert report.sinks[0].finished == (method == "close")
    assert report.sinks[0].written == (3 if method == "write" else report.processed)


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_a_sink_that_cannot_be_opened_is_named(error: BaseException) -> None:
    report, raised, _, _ = run(sinks=[Store("open", error)])
    assert "sink Store could not be opened" in str(raised)
    assert report.frames_read == 0


OTHER = Skeleton(("a", "b"))
NO_POSES = [
    None,
    np.zeros((1, 3, 3), np.float32),
    Pose.missing(OTHER),
    "a pose",
]
IDS = ["None", "array", "another skeleton", "text"]


class Returns(Processor):
    def __init__(self, value: object) -> None:
        self._value = value

    def process(self, pose: Pose, frame: Frame) -> Any:
        return self._value if frame.index == 3 else pose


@pytest.mark.parametrize("value", NO_POSES, ids=IDS)
def test_a_processor_that_does_not_return_a_pose_is_named(value: object) -> None:
    report, raised, sink, _ = run(processors=[Returns(value)])
    assert isinstance(raised, PluginError)
    assert "processor Returns returned" in str(raised)
    assert "frame 3" in str(raised)
    assert sink.indices == [0, 1, 2]
    assert not report.complete


@pytest.mark.parametrize("value", NO_POSES, ids=IDS)
def test_tolerant_counts_it(value: object) -> None:
    report, raised, sink, _ = run(processors=[Tolerant(Returns(value), "skip")])
    assert raised is None
    assert report.processors[0].failures == 1
    assert "processor Returns returned" in report.processors[0].error
    assert sink.indices == list(range(20))


@pytest.mark.parametrize("value", NO_POSES, ids=IDS)
@pytest.mark.parametrize("batch", [1, 4])
def test_a_model_that_does_not_return_a_pose_is_named(value: object, batch: int) -> None:
    class Wrong(BlobModel):
        def predict(self, image, *, boxes=None) -> Any:
            return value

    session = Session(source=BlobSource(frames=20), model=Wrong(), batch=batch)
    with pytest.raises(ModelError, match="the model returned"):
        session.run()


def test_a_batch_of_too_few_poses_is_refused() -> None:
    class Short(BlobModel):
        def predict_batch(self, images):
            return super().predict_batch(images)[:-1]

    sink = MemorySink()
    report = Session(source=BlobSource(frames=20), model=Short(), batch=4, sinks=[sink]).run()
    assert sink.indices == list(range(20))  # one by one, then
    assert "poses" in report.events[0].text


@pytest.mark.parametrize(
    "value",
    [
        None,
        np.zeros((4, 4, 3), np.uint8),
        Frame(None, 3, 0.0),  # type: ignore[arg-type]
        Frame(np.zeros((8, 8), np.uint8), None, 0.0),  # type: ignore[arg-type]
        Frame(np.zeros((8, 8), np.uint8), 3, float("nan")),
        Frame(np.zeros((8, 8), np.uint8), 3, None),  # type: ignore[arg-type]
    ],
    ids=["None", "array", "no image", "no index", "time is NaN", "no time"],
)
def test_a_source_that_does_not_return_a_frame_is_named(value: object) -> None:
    class Wrong(BlobSource):
        def read(self, timeout: float) -> Any:
            return value if self._next == 3 else super().read(timeout)

    report, raised, sink, _ = run(source=Wrong(frames=20))
    assert isinstance(raised, SourceError)
    assert str(raised).startswith("blobs returned")
    assert sink.indices == [0, 1, 2]
    assert not report.complete


class Plain(FrameSource):
    """A live source that never reads its own attributes."""

    is_live = True
    name = "plain"

    def __init__(self) -> None:
        self._frames = LiveBlobSource(frames=10, interval=0.002)

    def open(self) -> None:
        self._frames.open()

    def read(self, timeout: float) -> Frame:
        return self._frames.read(timeout)


def broken(name: str, value: object) -> FrameSource:
    """A source with one invalid attribute; if `value` is an exception, reading the attribute raises it."""

    def get(self: FrameSource) -> Any:
        if isinstance(value, BaseException):
            raise value
        return value

    return type("Odd", (Plain,), {name: property(get)})()


@pytest.mark.parametrize("value", [RuntimeError("driver"), SystemExit(1), ["many"], float("nan"), -1])
@pytest.mark.parametrize(
    "name", ["fps", "frame_size", "frame_count", "corrupt", "skipped", "lost", "reconnects", "trouble"]
)
def test_an_invalid_attribute_counts_as_unknown_and_costs_no_frame(name: str, value: object) -> None:
    report, raised, sink, _ = run(source=broken(name, value))
    assert raised is None
    assert report.frames_read == 10
    (event,) = [event for event in report.events if event.kind == "invalid"]
    assert event.text.startswith(f"source Odd: {name} ")
    assert sink.finished


@pytest.mark.parametrize(
    ("statistics", "expected"),
    [
        ({"mean": float("nan"), "count": np.int64(3)}, 2),
        ({"mean": "high"}, 0),
        (None, 0),
        ([1, 2], 0),
        (SystemExit(0), 0),
    ],
    ids=["NaN", "text", "None", "list", "raises"],
)
def test_odd_statistics_do_not_cost_the_report(statistics: object, expected: int) -> None:
    class Odd(Closed):
        @property
        def statistics(self) -> Any:
            if isinstance(statistics, BaseException):
                raise statistics
            return statistics

    report, raised, _, _ = run(processors=[Odd()])
    assert raised is None
    assert len(report.processors[0].statistics) == expected


def test_odd_outputs_of_a_sink_do_not_cost_the_report() -> None:
    class Odd(MemorySink):
        @property
        def outputs(self) -> Any:
            raise RuntimeError("no files")

    report, raised, _, _ = run(sinks=[Odd()])
    assert raised is None
    assert report.sinks[0].outputs == ()


class Counting(MemorySink):
    """Reports how many it wrote; or something that is no number."""

    def __init__(self, statistics: object) -> None:
        super().__init__()
        self._statistics = statistics

    @property
    def statistics(self) -> Any:
        if isinstance(self._statistics, Exception):
            raise self._statistics
        return self._statistics


def test_what_a_sink_counts_is_in_the_report() -> None:
    report = Session(source=BlobSource(frames=3), model=BlobModel(), sinks=[Counting({"lost": 2})]).run()
    assert report.sinks[0].statistics == {"lost": 2}
    assert report.to_dict()["sinks"][0]["statistics"] == {"lost": 2}


@pytest.mark.parametrize("statistics", [RuntimeError("no"), None, 3])
def test_a_sink_with_broken_statistics_still_has_its_report(statistics: object) -> None:
    report = Session(source=BlobSource(frames=3), model=BlobModel(), sinks=[Counting(statistics)]).run()
    assert (report.sinks[0].written, report.sinks[0].statistics) == (3, {})
