"""File names that look like a URL, a pattern or a query to a library are read and written literally."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dlclive_io.recovery.recover import recover
from dlclive_io.tables.pose_table import PoseTable
from dlclive_io.tables.timestamp_table import TimestampTable
from dlclive_io.video.labelled_video import LabelledVideo
from dlclive_io.video.video_file import VideoFile
from dlclive_io.video.video_recording import VideoRecording

from dlclive_core import Estimate, Frame, ModelCard, Pose, Sink, Skeleton
from dlclive_core.testing import run_info

SKELETON = Skeleton(("nose",))
RUN = run_info(ModelCard(net_type="test", skeleton=SKELETON), is_live=True, fps=30.0)
NAMES = ["2024-01-01T12:30:00", "a%03d", "100% sure", "what?", "no#1", "a b", "file:x", "-i", "a|b", "[x]*"]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name, and a folder of that name in the current folder."""
    monkeypatch.chdir(tmp_path)
    name: str = request.param
    try:
        Path(name).mkdir()
    except OSError:
        pytest.skip(f"this file system has no name {name!r}")
    return name


def _write(sink: Sink, films: Any, *, finish: bool = True) -> None:
    with sink:
        sink.open(RUN)
        for number in range(5):
            at = RUN.started_clock + number / 30
            pose = Pose(np.full((1, 1, 3), number, np.float32), SKELETON)
            sink.write(Estimate(Frame(films.draw(number), number, at), pose, at, at, at))
        if finish:
            sink.finish()


def test_files_in_the_current_folder(films: Any, name: str) -> None:
    for sink, path in (
        (partial(LabelledVideo, legend=False, names=False), Path(f"{name}.mp4")),
        (partial(LabelledVideo, legend=False, names=False), Path(f"{name}.mkv")),
        (VideoRecording, Path(f"{name}-raw.mkv")),
        (VideoRecording, Path(f"{name}-raw2.mp4")),
    ):
        _write(sink(path), films)
        assert films.indices_and_numbers(VideoFile(path)) == ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4])
    _write(PoseTable(Path(f"{name}.h5")), films)
    _write(PoseTable(Path(f"{name}.csv")), films)
    _write(TimestampTable(Path(f"{name}-times.csv")), films)
    assert len(pd.read_hdf(Path(f"{name}.h5").absolute())) == 5
    assert len(pd.read_csv(Path(f"{name}.csv").absolute(), header=[0, 1, 2], index_col=0)) == 5
    assert len(pd.read_csv(Path(f"{name}-times.csv").absolute())) == 5
    assert not list(Path().glob("*.part*"))
    assert not list(Path().glob("*journal*"))


def test_files_in_a_folder_and_their_recovery(films: Any, name: str) -> None:
    folder = Path(name)
    _write(VideoRecording(folder / "raw.mkv"), films, finish=False)
    _write(PoseTable(folder / "poses.h5"), films, finish=False)
    (folder / "._raw.mkv.part").write_bytes(b"\0\5\x16\7")  # macOS keeps attributes in such files
    report = recover(folder)
    assert report.complete
    assert {file.path.name: file.rows for file in report.files} == {
        "raw.mkv": 5,
        "raw_timestamps.csv": 5,
        "poses.h5": 5,
    }
    assert films.indices_and_numbers(VideoFile(folder / "raw.mkv"))[0] == [0, 1, 2, 3, 4]
    assert len(pd.read_hdf(folder / "poses.h5")) == 5
