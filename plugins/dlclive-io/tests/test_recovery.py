"""recover: what a crash left becomes whole files, and nothing is destroyed on the way."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import pytest
from dlclive_io.recovery.recover import recover
from dlclive_io.tables.pose_journal import PoseJournal, journal_of
from dlclive_io.tables.pose_table import PoseTable
from dlclive_io.tables.timestamp_table import TimestampTable
from dlclive_io.video.video_file import VideoFile
from dlclive_io.video.video_recording import VideoRecording

from dlclive_core import Estimate, Frame, ModelCard, OutputExistsError, Pose, Sink, Skeleton, UsageError
from dlclive_core.testing import run_info

SKELETON = Skeleton(("nose", "tail"))
CARD = ModelCard(net_type="test", skeleton=SKELETON)
RUN = run_info(CARD, is_live=True, fps=50.0)


def _estimate(number: int, image: np.ndarray) -> Estimate:
    at = RUN.started_clock + number / 50
    pose = Pose(np.full((1, 2, 3), number, np.float32), SKELETON)
    return Estimate(Frame(image, number, at), pose, at, at, at)


@pytest.fixture
def crash(films: Any, tmp_path: Path) -> Any:
    """What a killed process leaves: files as they were before their writers were closed, with their locks."""

    def leave(*sinks: Sink, numbers: Any = range(60)) -> Path:
        folder = tmp_path / "crashed"
        folder.mkdir(exist_ok=True)
        for sink in sinks:
            sink.open(RUN)
        for number in numbers:
            for sink in sinks:
                sink.write(_estimate(number, films.draw(number)))
        for sink in sinks:
            if isinstance(sink, PoseTable) and sink._journal is not None:
                sink._journal.commit()
        for path in (path for path in tmp_path.iterdir() if path.is_file()):
            (folder / path.name).write_bytes(path.read_bytes())
        for sink in sinks:
            sink.close()
        return folder

    return leave


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_hdf5_is_rebuilt_from_its_journal(crash: Any, tmp_path: Path) -> None:
    """Whatever the crash made of the HDF5 file itself."""
    folder = crash(PoseTable(tmp_path / "mouse.h5"), numbers=(0, 1, 2, 5, 6, 90))
    part = folder / "mouse.h5.part"
    assert part.exists()
    assert journal_of(folder / "mouse.h5").exists()
    part.write_bytes(part.read_bytes()[:1000])
    report = recover(folder)
    (recovered,) = report.files
    assert (recovered.path, recovered.kind, recovered.rows, recovered.error) == (folder / "mouse.h5", "poses", 6, "")
    assert recovered.seconds == pytest.approx(90 / 50)
    assert "journal" in recovered.note
    table = pd.read_hdf(recovered.path)
    assert list(table.index) == list(range(91))
    came = table.dropna(how="all")
    assert list(came.index) == [0, 1, 2, 5, 6, 90]
    assert (came.to_numpy() == np.array(came.index)[:, None]).all()
    assert table.columns.names == ["scorer", "bodyparts", "coords"]
    assert sorted(item.name for item in folder.iterdir()) == ["mouse.h5", "run.json"]
    assert recover(folder).files == ()


def test_csv_loses_only_its_incomplete_last_line(crash: Any, tmp_path: Path) -> None:
    folder = crash(PoseTable(tmp_path / "mouse.csv"), TimestampTable(tmp_path / "times.csv"))
    poses, times = folder / "mouse.csv.part", folder / "times.csv.part"
    header = poses.read_text().splitlines()[:3]
    poses.write_text("\n".join([*header, "0,1.5,1.5,1.5,2.5,2.5,2.5", "1,1.5,1."]))
    whole = times.read_text().splitlines()[0]
    times.write_bytes(f"{whole}\n0,0.000000,,2026-01-01T00:00:00.000000+00:00,1.000,2.000\n1,0.02".encode() + bytes(9))
    recovered = {file.path.name: file for file in recover(folder).files}
    assert {name: (file.kind, file.rows) for name, file in recovered.items()} == {
        "mouse.csv": ("poses", 1),
        "times.csv": ("times", 1),
    }
    assert "incomplete last row" in recovered["mouse.csv"].note
    assert pd.read_csv(folder / "mouse.csv", header=[0, 1, 2], index_col=0).shape == (1, 6)
    assert [row["frame"] for row in _rows(folder / "times.csv")] == ["0"]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize("share", [1.0, 0.83, 0.31, 0.0])
def test_every_frame_of_a_truncated_video_has_its_row(
    films: Any, crash: Any, tmp_path: Path, suffix: str, share: float
) -> None:
    folder = crash(VideoRecording(tmp_path / f"raw{suffix}"), numbers=range(0, 240, 2))
    films.cut(folder / f"raw{suffix}.part", share)
    report = recover(folder)
    video, times = report.files
    rows = _rows(folder / "raw_timestamps.csv")
    assert (video.kind, times.kind, times.rows) == ("video", "times", video.rows)
    assert len(rows) == video.rows
    if share == 0.0:
        assert not (folder / f"raw{suffix}").exists()
        return
    assert video.rows >= 100 * share - 20
    frames = films.read(VideoFile(folder / f"raw{suffix}"))
    assert [films.number_in(frame.image) for frame in frames] == [int(row["frame"]) for row in rows]
    assert [frame.device_time for frame in frames] == pytest.approx(
        [float(row["captured_at_s"]) for row in rows], abs=0.001
    )
    source = VideoFile(folder / f"raw{suffix}")
    films.read(source)
    assert source.corrupt == 0
    assert "rows removed" in times.note
    assert recover(folder).files == ()


def test_segments_are_counted_one_by_one(films: Any, crash: Any, tmp_path: Path) -> None:
    sink = VideoRecording(tmp_path / "raw.mkv")
    folder = tmp_path / "crashed"
    small = np.zeros((48, 64, 3), np.uint8)
    with sink:
        sink.open(RUN)
        for number in range(60):
            sink.write(_estimate(number, films.draw(number) if number < 30 else small))
        folder.mkdir()
        for path in tmp_path.glob("raw*"):
            (folder / path.name).write_bytes(path.read_bytes())
    report = recover(folder)
    assert [file.path.name for file in report.files] == ["raw-2.mkv", "raw.mkv", "raw_timestamps.csv"]
    first, second = len(films.read(VideoFile(folder / "raw.mkv"))), len(films.read(VideoFile(folder / "raw-2.mkv")))
    rows = [row["video"] for row in _rows(folder / "raw_timestamps.csv")]
    assert (rows.count("raw.mkv"), rows.count("raw-2.mkv")) == (first, second)
    assert first == 30
    assert 0 < second < 30


def test_a_run_that_is_alive_is_left_alone(tmp_path: Path, films: Any) -> None:
    with PoseTable(tmp_path / "mouse.h5") as sink:
        sink.open(RUN)
        sink.write(_estimate(0, films.draw(0)))
        with pytest.raises(OutputExistsError, match="being written"):
            recover(tmp_path)
        sink.write(_estimate(1, films.draw(1)))
        sink.finish()
    assert len(pd.read_hdf(tmp_path / "mouse.h5")) == 2
    assert recover(tmp_path).files == ()
    with pytest.raises(UsageError, match="no folder"):
        recover(tmp_path / "nowhere")


def test_an_existing_file_is_not_replaced(crash: Any, tmp_path: Path) -> None:
    folder = crash(PoseTable(tmp_path / "mouse.h5"), VideoRecording(tmp_path / "raw.mkv"))
    names = ["mouse.h5", "raw.mkv"]
    for name in names:
        (folder / name).write_text("precious")
    parts = {name: (folder / f"{name}.part").read_bytes() for name in names}
    by_name = {file.path.name: file for file in recover(folder).files}
    for name in names:
        assert "already exists" in by_name[f"{name}.part"].error
        assert (folder / name).read_text() == "precious"
        assert (folder / f"{name}.part").read_bytes() == parts[name]
        (folder / name).rename(folder / f"older {name}")
    assert "timestamps depend on it" in by_name["raw_timestamps.csv.part"].error
    assert len(_rows(folder / "raw_timestamps.csv.part")) == 60
    poses, times, video = sorted(recover(folder).files, key=lambda file: file.kind)
    assert (poses.error, poses.rows) == ("", 60)
    assert (video.error, video.rows, times.rows) == ("", times.rows, len(_rows(folder / "raw_timestamps.csv")))
    assert "index" not in video.note
    with av.open(str(folder / "raw.mkv")) as indexed:
        assert indexed.duration == pytest.approx(1e6 * video.rows / 50, abs=30_000)


def test_files_of_others_are_not_touched(tmp_path: Path) -> None:
    contents = {
        "film.zip.part": "x",
        "table.csv.part": "a,b\n1,",
        "mouse.h5.part": "no HDF5",
        "raw.mkv.part": "no video",
    }
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    report = recover(tmp_path)
    assert {file.path.name: file.error != "" for file in report.files} == {"mouse.h5.part": True, "raw.mkv.part": True}
    assert not report.complete
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == contents


def test_journals_that_cannot_be_read_stay(crash: Any, tmp_path: Path) -> None:
    folder = crash(PoseTable(tmp_path / "mouse.h5"))
    journal = journal_of(folder / "mouse.h5")
    database = sqlite3.connect(journal)
    database.execute("UPDATE header SET value = '99' WHERE name = 'version'")
    database.commit()
    database.close()
    (recovered,) = recover(folder).files
    assert "newer dlclive-io" in recovered.error
    assert journal.exists()
    journal.write_bytes(b"not a database" * 1000)
    (recovered,) = recover(folder).files
    assert "not a readable pose journal" in recovered.error
    assert (folder / "mouse.h5.part").exists()


def test_frames_with_a_pose_are_counted_whatever_the_kind_of_table(crash: Any, tmp_path: Path, films: Any) -> None:
    """Those without one have empty rows in some kinds, and none in others."""
    numbers = (0, 1, 2, 5, 6, 90)
    folder = crash(PoseTable(tmp_path / "b.h5"), numbers=numbers)
    for name in ("a.csv", "c.h5"):
        with PoseTable(folder / name) as closed:
            closed.open(RUN)
            for number in numbers:
                closed.write(_estimate(number, films.draw(number)))
    assert len(pd.read_csv(folder / "a.csv.part", header=[0, 1, 2], index_col=0)) == 91
    assert {file.path.name: file.rows for file in recover(folder).files} == {"a.csv": 6, "b.h5": 6, "c.h5": 6}


def test_a_table_that_was_closed_in_order_needs_no_journal(tmp_path: Path, films: Any) -> None:
    with PoseTable(tmp_path / "mouse.h5") as sink:
        sink.open(RUN)
        for number in range(70):
            sink.write(_estimate(number, films.draw(number)))
    assert [path.name for path in tmp_path.iterdir()] == ["mouse.h5.part"]
    (recovered,) = recover(tmp_path).files
    assert (recovered.rows, recovered.error) == (70, "")
    assert len(pd.read_hdf(tmp_path / "mouse.h5")) == 70


def test_rows_in_hdf5_are_in_the_journal_before(tmp_path: Path, films: Any) -> None:
    """So that the `.part` may be replaced by what the journal says."""
    with PoseTable(tmp_path / "mouse.h5") as sink:
        sink.open(RUN)
        for number in range(64):
            sink.write(_estimate(number, films.draw(number)))
        for suffix in ("", "-wal"):
            copy = tmp_path / f"copy.h5.journal{suffix}"
            copy.write_bytes((tmp_path / f"mouse.h5.journal{suffix}").read_bytes())
    database = sqlite3.connect(tmp_path / "copy.h5.journal")
    assert database.execute("SELECT COUNT(*) FROM frames").fetchone() == (64,)
    database.close()


def test_the_journal_knows_the_run_before_the_first_row(tmp_path: Path) -> None:
    journal = PoseJournal(tmp_path / "mouse.h5.journal", RUN)
    for suffix in ("", "-wal"):
        (tmp_path / f"copy{suffix}").write_bytes((tmp_path / f"mouse.h5.journal{suffix}").read_bytes())
    journal.close()
    database = sqlite3.connect(tmp_path / "copy")
    header = {name: json.loads(value) for name, value in database.execute("SELECT name, value FROM header")}
    database.close()
    assert header["started_at"] == RUN.started_at.isoformat()
    assert header["started_clock"] == RUN.started_clock
    assert header["card"]["skeleton"]["keypoints"] == ["nose", "tail"]


@pytest.mark.parametrize("has_record", [True, False])
def test_the_record_of_the_run_says_what_was_recovered(crash: Any, tmp_path: Path, has_record: bool) -> None:
    folder = crash(PoseTable(tmp_path / "mouse.h5"))
    (folder / "run.json").write_text(json.dumps({"began": "x", "ended": "y"}))  # of an earlier run
    if has_record:
        (folder / "run-2.json").write_text(json.dumps({"began": "today", "ended": None}))
    recover(folder)
    assert json.loads((folder / "run.json").read_text()) == {"began": "x", "ended": "y"}
    record = json.loads((folder / "run-2.json").read_text())
    assert record["began"] == ("today" if has_record else RUN.started_at.isoformat())
    (entry,) = record["recovered"]
    assert entry["files"][0]["rows"] == 60
    assert entry["complete"]
