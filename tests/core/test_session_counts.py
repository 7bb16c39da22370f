"""Every frame is counted exactly once, as processed or as dropped at the point of loss."""

import signal
import sys
import threading
import time

import pytest

from dlclive_core import (
    DLCLiveError,
    Frame,
    MemorySink,
    ModelError,
    PluginError,
    Pose,
    Processor,
    Session,
    Tolerant,
    UsageError,
)
from dlclive_core.cli.live.session_table import print_session
from dlclive_core.testing import (
    BlobModel,
    BlobSource,
    FailingModel,
    FailingProcessor,
    LiveBlobSource,
    ProcessorContract,
)


class Counting(LiveBlobSource):
    """Counts the frames that it returned."""

    returned = 0

    def read(self, timeout: float) -> Frame:
        frame = super().read(timeout)
        self.returned += 1
        return frame


def check_balance(session: Session, source: Counting, sink: MemorySink) -> None:
    report = session.report
    assert report is not None
    assert report.frames_read == source.returned
    assert report.processed == len(sink.indices)
    drops = report.drops
    assert report.dropped == drops.slot + drops.left + drops.failed
    assert report.frames_read == report.processed + report.dropped


@pytest.mark.parametrize("ending", ["end", "stop", "limit", "model", "processor"])
def test_the_counts_balance_after_every_kind_of_ending(ending: str) -> None:
    source, sink = Counting(frames=150, interval=0.002), MemorySink()
    model = FailingModel(at=30) if ending == "model" else BlobModel(delay=0.005)
    processors = [Every(10)] if ending == "processor" else []
    session = Session(
        source=source,
        model=model,
        processors=processors,
        sinks=[sink],
        max_frames=40 if ending == "limit" else None,
        queue_size=200,
    )
    if ending == "stop":
        threading.Timer(0.15, session.stop).start()
    if ending in ("model", "processor"):
        with pytest.raises((ModelError, PluginError)):
            session.run()
        assert session.report is not None
        assert session.report.drops.failed == 1
    else:
        session.run()
        assert session.report is not None
        assert session.report.drops.failed == 0
    check_balance(session, source, sink)


def test_the_drops_of_a_slow_sink_are_counted_separately() -> None:
    class Slow(MemorySink):
        def write(self, estimate) -> None:
            time.sleep(0.1)  # also on a machine that drops most frames before
            super().write(estimate)

    source, slow, quick = Counting(frames=100, interval=0.005), Slow(), MemorySink()
    report = Session(source=source, model=BlobModel(), sinks=[slow, quick], queue_size=4).run()
    first, second = report.sinks
    assert first.written == len(slow.indices)
    assert first.dropped > 0
    assert first.written + first.dropped == second.written + second.dropped == report.processed


def test_all_sinks_and_the_report_share_one_start_time() -> None:
    infos = []

    class Record(MemorySink):
        def open(self, run) -> None:
            super().open(run)
            infos.append(run)

    report = Session(source=BlobSource(frames=3), model=BlobModel(), sinks=[Record(), Record()]).run()
    assert infos[0].started_at == infos[1].started_at == report.started_at
    assert report.started_at.tzinfo is not None


def test_age_and_latency_are_measured_from_capture() -> None:
    source, sink = LiveBlobSource(frames=60, interval=0.005), MemorySink()

    class Wait(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            time.sleep(0.01)
            return pose

    report = Session(source=source, model=BlobModel(delay=0.02), processors=[Wait()], sinks=[sink]).run()
    age, latency, inference = (report.stage(name) for name in ("age", "latency", "inference"))
    assert age.count == latency.count == report.processed
    assert latency.p50_ms >= age.p50_ms + 20
    assert latency.max_ms >= inference.max_ms + 10
    assert abs(latency.max_ms - 1e3 * max(sink.latencies)) < 0.1
    with pytest.raises(KeyError):
        report.stage("tea")


class Every(Processor):
    """Raises at every n-th pose; counts its calls and closings."""

    def __init__(self, every: int = 5) -> None:
        self.every, self.calls, self.closed = every, 0, 0

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self.calls += 1
        if self.calls % self.every == 0:
            raise ValueError("no laser on this port")
        return Pose(pose.keypoints + 1, pose.skeleton)

    def close(self) -> None:
        self.closed += 1


def run_with(processor) -> tuple[MemorySink, Session]:
    sink, source = MemorySink(), BlobSource(frames=20)
    session = Session(source=source, model=BlobModel(), processors=[processor], sinks=[sink])
    session.run()
    return sink, session


def test_a_tolerated_processor_is_skipped_when_it_raises(caplog: pytest.LogCaptureFixture) -> None:
    inner = Every(5)
    sink, session = run_with(Tolerant(inner, on_error="skip"))
    truth = BlobSource(frames=20)
    shifted = [
        abs(float(pose.single()[0, 0] - truth.truth(index)[0, 0]) - 1) < 0.5 for index, pose in enumerate(sink.poses)
    ]
    assert shifted == [(index + 1) % 5 != 0 for index in range(20)]
    assert session.report is not None
    (result,) = session.report.processors
    assert (result.processor, result.failures, result.disabled) == ("Every", 4, False)
    assert result.error == "ValueError: no laser on this port"
    assert caplog.text.count("processor Every failed at frame 4") == 1
    assert len(sink.poses) == 20
    assert inner.closed == 1


def test_a_tolerated_processor_is_closed_and_bypassed_after_its_first_error() -> None:
    inner = Every(5)
    sink, session = run_with(Tolerant(inner, on_error="disable"))
    assert inner.calls == 5
    assert len(sink.poses) == 20
    assert session.report is not None
    (result,) = session.report.processors
    assert (result.failures, result.disabled) == (1, True)


def test_a_processor_that_is_not_tolerated_ends_the_session() -> None:
    with pytest.raises(PluginError, match="processor Every failed at frame 4"):
        run_with(Tolerant(Every(5), on_error="stop"))
    with pytest.raises(UsageError, match="did you mean 'skip'"):
        Tolerant(Every(), on_error="skipp")


def test_a_tolerated_processor_starts_afresh_in_the_next_run() -> None:
    tolerant = Tolerant(Every(5), on_error="disable")
    run_with(tolerant)
    assert tolerant.disabled
    run_with(tolerant)
    assert tolerant.failures == 1


def test_a_deeplabcut_live_processor_can_be_tolerated() -> None:
    class Old:
        def process(self, pose, **kwargs):
            raise DLCLiveError("no")

    sink, session = run_with(Tolerant(Old()))
    assert len(sink.poses) == 20
    assert session.report is not None
    assert session.report.processors[0].processor == "Old"


class TestTolerant(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return Tolerant(FailingProcessor(at=1))


def test_keyboard_interrupt_finishes_the_files_and_is_raised() -> None:
    class Impatient(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            if frame.index >= 5:
                raise KeyboardInterrupt
            return pose

    sink = MemorySink()
    session = Session(
        source=LiveBlobSource(frames=100, interval=0.005), model=BlobModel(), processors=[Impatient()], sinks=[sink]
    )
    with pytest.raises(KeyboardInterrupt):
        session.run()
    assert sink.finished
    assert session.report is not None
    assert (session.report.ending, session.report.complete, session.report.drops.failed) == ("stopped", True, 1)


def test_system_exit_of_a_signal_handler_closes_without_waiting_for_slow_sinks() -> None:
    class Gone(Processor):
        closed = signalled = False

        def process(self, pose: Pose, frame: Frame) -> Pose:
            if frame.index >= 5 and not self.signalled:  # a busy machine may drop frame 5
                self.signalled = True
                signal.raise_signal(signal.SIGTERM)
            return pose

        def close(self) -> None:
            self.closed = True

    class Slow(MemorySink):
        def write(self, estimate) -> None:
            time.sleep(1)

    gone, sink = Gone(), Slow()
    session = Session(
        source=LiveBlobSource(frames=100, interval=0.005), model=BlobModel(), processors=[gone], sinks=[sink]
    )
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    began = time.perf_counter()
    try:
        with pytest.raises(SystemExit):
            session.run()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert time.perf_counter() - began < 10  # the sink would take 100 s
    assert gone.closed
    assert not sink.finished
    assert session.report is not None
    assert not session.report.complete


class Counted(Processor):
    """Reports the number of poses; if broken, reading its statistics raises."""

    def __init__(self, *, broken: bool = False) -> None:
        self.count, self.broken = 0, broken

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self.count += 1
        return pose

    @property
    def statistics(self) -> dict[str, float]:
        if self.broken:
            raise KeyError("no such number")
        return {"poses": self.count}


def test_the_report_contains_the_processors_statistics(caplog: pytest.LogCaptureFixture) -> None:
    processors = [Counted(), Tolerant(Counted(), "skip"), Counted(broken=True)]
    report = Session(source=BlobSource(frames=7), model=BlobModel(), processors=processors).run()
    assert [dict(result.statistics) for result in report.processors] == [{"poses": 7}, {"poses": 7}, {}]
    assert report.to_dict()["processors"][0]["statistics"] == {"poses": 7}
    assert "processor Counted could not report its statistics: KeyError: 'no such number'" in caplog.text


@pytest.mark.parametrize("failing", [False, True])
def test_dropped_is_one_number_in_the_line_and_the_report(failing: bool, capsys: pytest.CaptureFixture[str]) -> None:
    model = FailingModel(at=5) if failing else BlobModel(delay=0.01)
    session = Session(source=LiveBlobSource(frames=80, interval=0.001), model=model, sinks=[MemorySink()])
    if failing:
        with pytest.raises(ModelError):
            session.run()
    else:
        session.run()
    report = session.report
    assert report is not None
    assert report.dropped > 0
    assert session.progress.dropped == report.dropped
    assert session.progress.losses.startswith(f"{report.dropped} dropped")
    print_session(report)
    assert f"+ dropped {report.dropped};" in capsys.readouterr().out
