"""Rigs: several sessions with one shared model, or with one model each."""

import threading
import time

import numpy as np
import pytest

from dlclive_core import Frame, ModelError, Pose, Processor, Rig, Session, SourceError, UsageError
from dlclive_core.plugins.builtin.memory import MemorySink
from dlclive_core.testing import BlobModel, BlobSource, FailingModel, FailingProcessor, FailingSource, LiveBlobSource


class BatchModel(BlobModel):
    """Records the batch sizes, the shapes, and the threads that call it."""

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__(delay=delay)
        self.batches: list[int] = []
        self.shapes: list[set] = []
        self.threads: set = set()

    def predict(self, image, *, boxes=None):
        self.batches.append(1)
        self.threads.add(threading.get_ident())
        return super().predict(image, boxes=boxes)

    def predict_batch(self, images):
        self.batches.append(len(images))
        self.shapes.append({image.shape for image in images})
        if self._delay:
            time.sleep(self._delay)
        return [BlobModel.predict(BlobModel(), image) for image in images]


class Recorder(Processor):
    """Records the source and index of each frame."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, int]] = []
        self.thread = 0

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self.frames.append((frame.source, frame.index))
        self.thread = threading.get_ident()
        return pose


def source(name: str, frames: int = 20, *, live: bool = False, size=(160, 120), interval: float = 0.0) -> BlobSource:
    blobs = (LiveBlobSource if live else BlobSource)(frames=frames, size=size, interval=interval)
    blobs.name = name
    return blobs


def check_poses(sink: MemorySink, blobs: BlobSource) -> None:
    assert sink.indices == sorted(set(sink.indices))
    for index, pose in zip(sink.indices, sink.poses, strict=True):
        assert np.abs(pose.single() - blobs.truth(index)).max() < 0.5


def test_recordings_with_a_shared_model_lose_nothing_and_do_not_mix() -> None:
    model = BatchModel()
    sources = [source("a", 30), source("b", 50), source("c", 10, size=(96, 64))]
    sinks, recorders = [MemorySink() for _ in sources], [Recorder() for _ in sources]
    sessions = [
        Session(source=blobs, model=model, processors=[recorder], sinks=[sink])
        for blobs, recorder, sink in zip(sources, recorders, sinks, strict=True)
    ]
    reports = Rig(sessions).run()
    assert [report.processed for report in reports] == [30, 50, 10]
    assert all(report.complete and report.dropped == 0 for report in reports)
    for blobs, recorder, sink in zip(sources, recorders, sinks, strict=True):
        check_poses(sink, blobs)
        assert sink.finished
        assert recorder.frames == [(blobs.name, index) for index in range(blobs.frame_count)]
    assert 2 in model.batches
    assert all(len(shapes) == 1 for shapes in model.shapes)


def test_live_sources_are_batched_with_their_newest_frames() -> None:
    model = BatchModel(delay=0.03)
    sources = [source(name, 100, live=True, interval=0.01) for name in "ab"]
    sinks = [MemorySink() for _ in sources]
    rig = Rig([Session(source=blobs, model=model, sinks=[sink]) for blobs, sink in zip(sources, sinks, strict=True)])
    for blobs, sink, report in zip(sources, sinks, rig.run(), strict=True):
        check_poses(sink, blobs)
        assert report.frames_read == report.processed + report.dropped == 100
        assert report.drops.slot > 0
        assert report.drops.failed == 0
    assert model.batches.count(2) >= 5


def test_each_model_runs_in_its_own_thread() -> None:
    """From the warm-up to the end."""
    models = [BatchModel(delay=0.02), BatchModel(delay=0.02)]
    recorders = [Recorder(), Recorder()]
    sessions = [
        Session(source=source(str(number), 20), model=model, processors=[recorder])
        for number, (model, recorder) in enumerate(zip(models, recorders, strict=True))
    ]
    began = time.perf_counter()
    reports = Rig(sessions).run()
    assert time.perf_counter() - began < 10
    assert [report.processed for report in reports] == [20, 20]
    assert [len(model.threads) for model in models] == [1, 1]
    assert models[0].threads == {recorders[0].thread} != models[1].threads == {recorders[1].thread}


def test_stop_ends_all_sessions() -> None:
    model = BlobModel()
    sessions = [Session(source=source(name, 10**6, live=True, interval=0.01), model=model) for name in "ab"]
    rig = Rig([*sessions, Session(source=source("c", 10**6, live=True, interval=0.01), model=BlobModel())])
    threading.Timer(0.2, rig.stop).start()
    reports = rig.run()
    assert len(reports) == 3
    for report in reports:
        assert (report.ending, report.complete) == ("stopped", True)
        assert 0 < report.processed == report.frames_read - report.dropped


def test_stopping_one_session_does_not_stop_the_others() -> None:
    model = BlobModel()
    first = Session(source=source("a", 10**6, live=True, interval=0.01), model=model)
    second = Session(source=source("b", 60, live=True, interval=0.01), model=model)
    threading.Timer(0.1, first.stop).start()
    stopped, ended = Rig([first, second]).run()
    assert (stopped.ending, ended.ending) == ("stopped", "end of source")
    assert ended.frames_read == 60


@pytest.mark.parametrize("shared", [True, False])
def test_a_failure_of_one_session_closes_all_in_order(shared: bool) -> None:
    closed: list[str] = []

    class Order(FailingProcessor):
        def close(self) -> None:
            closed.append("processor")

    class Camera(LiveBlobSource):
        def close(self) -> None:
            closed.append("source")

    class File(MemorySink):
        def close(self) -> None:
            closed.append("sink")

    model = BlobModel()
    good_file, bad_file = File(), File()
    camera = Camera(frames=10**6, interval=0.01)
    good = Session(source=camera, model=model, processors=[Order(at=-1)], sinks=[good_file])
    other = model if shared else BlobModel()
    bad = Session(source=FailingSource(at=9), model=other, processors=[Order(at=-1)], sinks=[bad_file])
    with pytest.raises(SourceError, match="the cable was pulled"):
        Rig([good, bad]).run()
    assert closed == ["processor", "processor", "source", "sink", "sink"]
    assert good.report is not None
    assert bad.report is not None
    assert (good.report.ending, good.report.error, good_file.finished) == ("stopped", "", True)
    assert (bad.report.ending, bad_file.finished) == ("error", False)
    assert "the cable was pulled" in bad.report.error
    assert good.report.frames_read == good.report.processed + good.report.dropped


def test_a_finished_recording_stays_complete_when_another_session_fails() -> None:
    model, sink = BlobModel(), MemorySink()
    done = Session(source=source("short", 3), model=model, sinks=[sink])
    bad = Session(source=FailingSource(at=15), model=model)
    with pytest.raises(SourceError):
        Rig([done, bad]).run()
    assert done.report is not None
    assert (done.report.ending, sink.finished) == ("end of source", True)


def test_a_failing_model_names_the_frames_and_counts_them() -> None:
    model = FailingModel(at=9)
    sessions = [Session(source=source("a"), model=model), Session(source=source("b"), model=model, name="left")]
    with pytest.raises(ModelError, match=r"the model failed at frame \d+ of (a|left)( and frame \d+ of left)?: "):
        Rig(sessions).run()
    reports = [session.report for session in sessions]
    assert sum(report.drops.failed for report in reports) >= 1
    for report in reports:
        assert report.frames_read == report.processed + report.dropped


def test_parts_that_cannot_be_shared_are_rejected() -> None:
    model, blobs, processor, sink = BlobModel(), BlobSource(), Recorder(), MemorySink()
    session = Session(source=blobs, model=model)
    with pytest.raises(UsageError, match="at least one session"):
        Rig([])
    with pytest.raises(UsageError, match="the same session twice"):
        Rig([session, session])
    with pytest.raises(UsageError, match=r"a source \(BlobSource\) is used twice in this rig; create one per session"):
        Rig([session, Session(source=blobs, model=model)])
    for part in ({"processors": [processor]}, {"sinks": [sink]}):
        with pytest.raises(UsageError, match="is used twice"):
            Rig([Session(source=BlobSource(), model=model, **part) for _ in range(2)])


def test_sharing_a_model_that_remembers_is_rejected() -> None:
    model = BlobModel()
    model.remembers = True
    with pytest.raises(UsageError, match=r"2 sessions share a model .* remembers the animals' positions"):
        Rig([Session(source=BlobSource(), model=model) for _ in range(2)])
    Rig([Session(source=BlobSource(), model=model)])


def test_a_source_that_cannot_be_opened_ends_the_rig_before_the_first_frame() -> None:
    class Absent(BlobSource):
        def open(self) -> None:
            raise SourceError("no camera 1")

    model, sink = BlobModel(), MemorySink()
    good = Session(source=source("a", 10**6, live=True), model=model, sinks=[sink])
    with pytest.raises(SourceError, match="no camera 1"):
        Rig([good, Session(source=Absent(), model=model)]).run()
    assert good.report is not None
    assert (good.report.frames_read, good.report.complete, sink.finished) == (0, False, False)


def test_threads_end_with_the_rig() -> None:
    before = threading.active_count()
    for _ in range(3):
        Rig(
            [Session(source=source(name, 3, live=True), model=BlobModel(), sinks=[MemorySink()]) for name in "ab"]
        ).run()
    deadline = time.perf_counter() + 5
    while threading.active_count() > before and time.perf_counter() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before  # a slow thread of an earlier test may have ended


def test_a_rig_reports_the_state_progress_and_events_of_its_sessions() -> None:

    class Hung(Processor):
        release = threading.Event()
        calls = 0

        def process(self, pose: Pose, frame: Frame) -> Pose:
            self.calls += 1
            if self.calls == 4:
                self.release.wait(30)
            return pose

    good = Session(source=source("good", 10**6, live=True, interval=0.01), model=BlobModel(), name="left")
    bad = Session(
        source=source("bad", 10**6, live=True, interval=0.01), model=BlobModel(), processors=[Hung()], deadline=0.1
    )
    rig = Rig([good, bad])
    assert rig.state == "idle"
    assert [session.name for session in rig.sessions] == ["left", "bad"]
    thread = threading.Thread(target=rig.run)
    thread.start()
    until = time.perf_counter() + 30
    while (rig.state != "hanging" or good.processed < 4) and time.perf_counter() < until:
        time.sleep(0.01)
    first, second = rig.progress
    assert (rig.state, first.state, second.state, second.processed) == ("hanging", "running", "hanging", 3)
    rig.stop()
    Hung.release.set()
    thread.join(30)
    assert rig.state == "ended"
    assert [progress.processed > 3 for progress in rig.progress] == [True, True]
    hung = [
        event for event in rig.events if event.kind in ("hanging", "released")
    ]  # a busy computer may be late for others
    assert {event.session for event in hung} == {"bad"}
    assert hung[0].kind == "hanging"
    assert [report.name for report in rig.reports if report is not None] == ["left", "bad"]
