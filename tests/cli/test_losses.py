"""Only lost data makes a run fail; dropped frames of a live source or a display do not."""

import time
from pathlib import Path

import pytest

from dlclive_core import Estimate, Session, Sink
from dlclive_core.cli.losses import lost_data
from dlclive_core.testing import BlobModel, LiveBlobSource


class Slow(Sink):
    """Takes 20 ms per pose and claims to write `files`."""

    def __init__(self, *files: str) -> None:
        self._files = tuple(map(Path, files))

    @property
    def outputs(self) -> tuple[Path, ...]:
        return self._files

    def write(self, estimate: Estimate) -> None:
        time.sleep(0.02)


class Lossy(LiveBlobSource):
    skipped, lost, corrupt = 3, 2, 1


@pytest.mark.parametrize(("sink", "is_lost"), [(Slow("a.csv"), True), (Slow(), False)])
def test_frames_missing_from_a_file_are_a_loss_but_a_slow_display_is_not(sink: Slow, is_lost: bool) -> None:
    source = LiveBlobSource(frames=60, interval=0.005)
    report = Session(source=source, model=BlobModel(), sinks=[sink], queue_size=2).run()
    dropped, written = report.sinks[0].dropped, report.sinks[0].written
    assert dropped > 0
    error = lost_data(report, source)
    assert (error is not None) == is_lost
    if error is not None:
        assert error.exit_code == 5
        assert f"a.csv: {dropped} of {dropped + written} frames are missing" in str(error)


def test_frames_lost_by_a_camera_are_counted_without_failing() -> None:
    source = Lossy(frames=20, interval=0.005)
    report = Session(source=source, model=BlobModel(delay=0.02)).run()
    assert report.drops.slot > 0
    assert (report.skipped, report.lost, report.corrupt) == (3, 2, 1)
    assert lost_data(report, source) is None
