"""What waits for sinks: enough for a disk that is busy for a while, and never more than the memory allows."""

import time

import numpy as np
import pytest

from dlclive_core import Estimate, Frame, MemorySink, Pose, Progress, RunInfo, Session, Sink
from dlclive_core.session.sink_thread import room_for
from dlclive_core.testing import BlobModel, BlobSource, LiveBlobSource


class Disk(MemorySink):
    """Is busy for a while with its tenth estimate."""

    def write(self, estimate: Estimate) -> None:
        if len(self.indices) == 10:
            time.sleep(0.4)
        super().write(estimate)


def test_a_disk_that_is_busy_for_a_while_costs_no_frame() -> None:
    disk = Disk()
    source = LiveBlobSource(frames=120, interval=0.005)
    (result,) = Session(source=source, model=BlobModel(), sinks=[disk]).run().sinks
    assert (result.dropped, result.written) == (0, len(disk.indices))
    again = Disk()
    source = LiveBlobSource(frames=120, interval=0.005)
    (result,) = Session(source=source, model=BlobModel(), sinks=[again], queue_size=4).run().sinks
    assert result.dropped > 0, "the disk was not busy for long enough to test anything"


@pytest.mark.parametrize(
    ("shape", "most"), [((240, 320, 3), 128), ((2048, 2448, 3), 34), ((1080, 1920, 3), 82), ((9000, 9000, 3), 8)]
)
def test_memory_is_bounded_in_bytes(shape: tuple[int, ...], most: int) -> None:
    image = np.broadcast_to(np.uint8(0), shape)
    estimate = Estimate(Frame(image, 0, 0.0), Pose(np.zeros((0, 3, 3), np.float32), BlobSource().skeleton), 0, 0, 0)
    assert room_for(estimate) == most


class Asking(Sink):
    """Asks the session how it is doing, at every estimate."""

    def open(self, run: RunInfo) -> None:
        self.run = run
        self.said: list[Progress] = []

    def write(self, estimate: Estimate) -> None:
        assert self.run.progress is not None
        self.said.append(self.run.progress())
        time.sleep(0.02)


class Lossy(LiveBlobSource):
    skipped, lost, corrupt = 3, 2, 1


def test_a_sink_can_ask_where_frames_went() -> None:
    sink = Asking()
    source = Lossy(frames=200, interval=0.005)
    session = Session(source=source, model=BlobModel(delay=0.01), sinks=[sink], queue_size=2, name="left")
    report = session.run()
    assert sink.run.name == report.name == "left"
    last = sink.said[-1]
    assert (last.missed, sink.said[0].state) == (6, "running")
    assert 0 < last.dropped <= report.dropped
    assert 0 < last.not_written <= report.sinks[0].dropped
    assert 0 < last.processed <= report.processed
    assert session.progress.dropped == report.drops.slot + report.drops.left
