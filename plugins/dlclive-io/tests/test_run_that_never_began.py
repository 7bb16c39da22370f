"""A run that never began, because another component could not be opened, leaves nothing behind and can be tried again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dlclive_io.outliers.outlier_frames import OutlierFrames
from dlclive_io.replay.replay_record import ReplayRecord
from dlclive_io.tables.anipose_table import AniposeTable
from dlclive_io.tables.pose_table import PoseTable
from dlclive_io.tables.timestamp_table import TimestampTable
from dlclive_io.video.labelled_video import LabelledVideo
from dlclive_io.video.video_recording import VideoRecording

from dlclive_core import Frame, FrameSource, OutputError, Pose, Processor, RunInfo, Session, Sink
from dlclive_core.testing import BlobModel, BlobSource, LiveBlobSource, run_info

SINKS: dict[str, Callable[[Path], Sink]] = {
    "poses.h5": PoseTable,
    "poses.csv": PoseTable,
    "times.csv": TimestampTable,
    "video.mp4": VideoRecording,
    "labelled.mp4": LabelledVideo,
    "run.replay": ReplayRecord,
    "outliers": OutlierFrames,
}


class Unplugged(Processor):
    """A device that is not there."""

    def open(self, run: RunInfo) -> None:
        raise OutputError("port /dev/ttyACM0 cannot be opened")

    def process(self, pose: Pose, frame: Frame) -> Pose:
        return pose


class Fails(Processor):
    """A device that is lost at the fourth frame."""

    def process(self, pose: Pose, frame: Frame) -> Pose:
        if frame.index >= 3:
            raise OutputError("port /dev/ttyACM0 is gone")
        return pose


def run(sink: Sink, processor: Processor, source: FrameSource | None = None) -> None:
    Session(source=source or LiveBlobSource(frames=8), model=BlobModel(), processors=[processor], sinks=[sink]).run()


@pytest.mark.parametrize("name", SINKS)
def test_a_run_that_never_began_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    for _ in range(2):  # the second try has the same error, not one about what the first one left
        with pytest.raises(OutputError, match="cannot be opened"):
            run(SINKS[name](tmp_path / name), Unplugged())
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in SINKS if name != "outliers"])
def test_a_run_that_began_keeps_what_it_has(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="is gone"):
        run(SINKS[name](tmp_path / name), Fails(), BlobSource(frames=8))
    assert (tmp_path / f"{name}.part").stat().st_size > 0


def test_a_table_of_poses_in_space_without_a_frame_is_removed(tmp_path: Path) -> None:
    sink = AniposeTable(tmp_path / "space.csv")
    for _ in range(2):
        sink.open(run_info(is_live=True))
        sink.close()
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "outliers"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="cannot be opened"):
        run(OutlierFrames(folder), Unplugged())
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
