"""The queues of sinks: long enough for a disk that is briefly busy, with a bound on their memory."""

import time

import numpy as np
import pytest

from dlclive_core import Estimate, Frame, MemorySink, Pose, Progress, RunInfo, Session, Sink
from dlclive_core.session.sink_thread import room_for
from dlclive_core.testing import BlobModel, BlobSource, LiveBlobSource


class Disk(MemorySink):
    """Blocks for 0.4 s after ten estimates."""

    def write(self, estimate: Estimate) -> None:
        if len(self.indices) == 10:
            time.sleep(0.4)
        super().write(estimate)


def test_a_disk_that_is_briefly_busy_causes_no_drops() -> None:
    disk = Disk()
    source = LiveBlobSource(frames=120, interval=0.005)
    (result,) = Session(source=source, model=BlobModel(), sinks=[disk]).run().sinks
    assert (result.dropped, result.written) == (0, len(disk.indices))
    source = LiveBlobSource(frames=120, interval=0.005)
    (result,) = Session(source=source, model=BlobModel(), sinks=[Disk()], queue_size=4).run().sinks
    assert result.dropped > 0, "the disk was not busy for long enough to test anything"


@pytest.mark.parametrize(
    ("shape", "most"), [((240, 320, 3), 128), ((2048, 2448, 3), 34), ((1080, 1920, 3), 82), ((9000, 9000, 3), 8)]
)
def test_the_queue_capacity_depends_on_the_image_size(shape: tuple[int, ...], most: int) -> None:
    image = np.broadcast_to(np.uint8(0), shape)
    estimate = Estimate(Frame(image, 0, 0.0), Pose(np.zeros((0, 3, 3), np.float32), BlobSource().skeleton), 0, 0, 0)
    assert room_for(estimate) == most


class ProgressSink(Sink):
    """Records the session's progress at every estimate."""

    def open(self, run: RunInfo) -> None:
        self.run = run
        self.history: list[Progress] = []

    def write(self, estimate: Estimate) -> None:
        assert self.run.progress is not None
        self.history.append(self.run.progress())
        time.sleep(0.02)


class Lossy(LiveBlobSource):
    skipped, lost, corrupt = 3, 2, 1


def test_a_sink_can_read_the_sessions_progress() -> None:
    sink = ProgressSink()
    source = Lossy(frames=200, interval=0.005)
    session = Session(source=source, model=BlobModel(delay=0.01), sinks=[sink], queue_size=2, name="left")
    report = session.run()
    assert sink.run.name == report.name == "left"
    last = sink.history[-1]
    assert (last.missed, sink.history[0].state) == (6, "running")
    assert 0 < last.dropped <= report.dropped
    assert 0 < last.not_written <= report.sinks[0].dropped
    assert 0 < last.processed <= report.processed
    assert session.progress.dropped == report.drops.slot + report.drops.left
