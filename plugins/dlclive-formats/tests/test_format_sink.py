"""What a session keeps of its poses, when it ends and when it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import dlclive_io
import numpy as np
import pyarrow.parquet as pq
import pytest
from dlclive_formats.parquet.parquet_format import ParquetFormat
from dlclive_formats.parquet.parquet_sink import ParquetSink
from dlclive_formats.session.format_sink import FormatSink
from dlclive_formats.session.recover import recover

from dlclive_core import (
    DataError,
    Estimate,
    Frame,
    ModelCard,
    OutputExistsError,
    PluginCatalog,
    Pose,
    Pose3D,
    PoseRecording,
    PoseRows,
    RunInfo,
    SinkInfo,
    Skeleton,
    UsageError,
    convert_poses,
)
from dlclive_core.testing import SinkContract
from dlclive_core.testing import run_info as any_run_info

SKELETON = Skeleton(("snout", "tail"), ((0, 1),))
SINGLE = ModelCard(net_type="test", skeleton=SKELETON, scorer="DLC_test")
SEVERAL = SINGLE.with_(multi_animal=True, individuals=("m1", "m2"), unique_keypoints=("lever",))
IMAGE = np.zeros((4, 4), np.uint8)


def estimate(number: int, keypoints: object, *, unique: object = None, ids: tuple[str, ...] | None = None) -> Estimate:
    """A frame with a pose, captured at number / 100 seconds."""
    array = np.asarray(keypoints, np.float32)
    kind = Pose3D if array.shape[-1] == 4 else Pose
    pose = kind(array, SKELETON, ids=ids, unique=None if unique is None else np.asarray(unique, np.float32))
    return Estimate(Frame(IMAGE, number, number / 100, number / 50), pose, 0.0, 0.0, 0.0)


def run_info(card: ModelCard, *, is_live: bool = False) -> RunInfo:
    """A run whose clock begins at 0, as the frames of `estimate` have it."""
    return replace(any_run_info(card, is_live=is_live), started_clock=0.0)


def points(value: float) -> list[list[list[float]]]:
    return [[[value, value + 0.25, 0.5], [value + 1, value + 2, 0.75]]]


def rows_of(recording: PoseRecording) -> PoseRows:
    blocks = list(recording.blocks())
    return PoseRows(
        np.concatenate([block.numbers for block in blocks]),
        np.concatenate([block.seconds for block in blocks]),
        np.concatenate([block.keypoints for block in blocks]),
        np.concatenate([block.unique for block in blocks]),
    )


class TestContract(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> ParquetSink:
        return ParquetSink(tmp_path / "poses.parquet")


def test_a_session_becomes_a_file_with_its_times(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    with ParquetSink(path) as sink:
        sink.open(run_info(SINGLE, is_live=True))
        for number in (0, 1, 5):
            sink.write(estimate(number, points(number)))
        assert not path.exists()
        sink.finish()
        assert sink.outputs == (path,)
    assert [file.name for file in tmp_path.iterdir()] == ["poses.parquet"]
    assert sink.statistics == {}
    recording = ParquetFormat().read(path)
    rows = rows_of(recording)
    assert rows.numbers.tolist() == [0, 1, 5]
    np.testing.assert_allclose(rows.seconds, [0, 0.01, 0.05])
    np.testing.assert_array_equal(rows.keypoints[:, 0, 0], [[0, 0.25, 0.5], [1, 1.25, 0.5], [5, 5.25, 0.5]])
    assert (recording.info.card.scorer, recording.info.card.skeleton) == ("DLC_test", SKELETON)
    assert recording.info.started_at is not None


def test_the_times_of_a_video_are_those_in_the_video(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    with ParquetSink(path) as sink:
        sink.open(run_info(SINGLE))
        sink.write(estimate(3, points(1)))
        sink.finish()
    recording = ParquetFormat().read(path)
    assert rows_of(recording).seconds.tolist() == [3 / 50]
    assert recording.info.started_at is None


def test_animals_beyond_the_project_are_counted_and_ids_keep_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    with ParquetSink(path) as sink:
        sink.open(run_info(SEVERAL, is_live=True))
        both = points(1) + points(2)
        sink.write(estimate(0, both, unique=[[7, 8, 0.5]], ids=("m2", "stranger")))
        sink.write(estimate(1, both + points(3), unique=[[7, 8, 0.5]], ids=("stranger", "m2", "another")))
        sink.finish()
    assert sink.statistics == {"individuals_left_out": 1}
    rows = rows_of(ParquetFormat().read(path))
    np.testing.assert_array_equal(rows.keypoints[:, :, 0, 0], [[2, 1], [1, 2]])
    np.testing.assert_array_equal(rows.unique[:, 0], [[7, 8, 0.5]] * 2)


def test_poses_in_space_keep_their_unit(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    with ParquetSink(path) as sink:
        sink.open(replace(run_info(SINGLE, is_live=True), dimensions=3, unit="mm"))
        sink.write(estimate(0, [[[1, 2, 3, 0.5], [np.nan, np.nan, np.nan, 0]]]))
        sink.finish()
    recording = ParquetFormat().read(path)
    assert (recording.info.dimensions, recording.info.unit) == (3, "mm")
    np.testing.assert_array_equal(rows_of(recording).keypoints[0, 0], [[1, 2, 3, 0.5], [np.nan] * 3 + [0]])


def test_a_number_that_jumps_and_comes_back_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    with ParquetSink(path) as sink:
        sink.open(run_info(SINGLE, is_live=True))
        for number in (0, 2**40, 1, 2):
            sink.write(estimate(number, points(number)))
        with pytest.raises(DataError, match="frame 2 comes after frame 2"):
            sink.write(estimate(2, points(2)))
        sink.finish()
    assert sink.statistics == {"frames_left_out": 1}
    assert rows_of(ParquetFormat().read(path)).numbers.tolist() == [0, 1, 2]


def test_an_existing_file_is_refused_before_the_first_frame_and_replaced_only_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    path.write_text("mine")
    with ParquetSink(path) as sink, pytest.raises(OutputExistsError, match="--overwrite"):
        sink.open(run_info(SINGLE))
    assert path.read_text() == "mine"
    with ParquetSink(path, overwrite=True) as sink:
        sink.open(run_info(SINGLE))
        sink.write(estimate(0, points(1)))
        assert path.read_text() == "mine"
        sink.finish()
    assert rows_of(ParquetFormat().read(path)).numbers.tolist() == [0]
    assert [file.name for file in tmp_path.iterdir()] == ["poses.parquet"]


def test_a_file_that_appears_meanwhile_is_not_replaced_and_the_poses_stay(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    with ParquetSink(path) as sink:
        sink.open(run_info(SINGLE, is_live=True))
        sink.write(estimate(0, points(1)))
        path.write_text("mine")
        with pytest.raises(OutputExistsError, match="run dlclive recover"):
            sink.finish()
    assert sink.outputs == (tmp_path / "poses.parquet.poses",)
    assert path.read_text() == "mine"
    (refused,) = recover(tmp_path).files
    assert "already exists: move it" in refused.error
    path.unlink()
    (recovered,) = recover(tmp_path).files
    assert (recovered.path, recovered.rows, recovered.error) == (path, 1, "")


def test_the_poses_of_an_interrupted_run_are_not_replaced_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    with ParquetSink(path) as sink:
        sink.open(run_info(SINGLE, is_live=True))
        sink.write(estimate(0, points(1)))
    assert sink.outputs == (tmp_path / "poses.parquet.poses",)
    with ParquetSink(path) as sink, pytest.raises(OutputExistsError, match="dlclive recover"):
        sink.open(run_info(SINGLE, is_live=True))
    assert recover(tmp_path).files[0].rows == 1


def test_a_session_without_a_pose_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    with ParquetSink(tmp_path / "poses.parquet") as sink:
        sink.open(run_info(SINGLE, is_live=True))
    assert list(tmp_path.iterdir()) == []
    assert sink.outputs == ()


def test_what_the_format_cannot_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    card = SEVERAL.with_(individuals=("single", "m2"))
    sink = ParquetSink(tmp_path / "poses.parquet")
    with pytest.raises(UsageError, match=r"write \.h5 or \.csv"):
        sink.check(card)
    with sink, pytest.raises(UsageError, match=r"write \.h5 or \.csv"):
        sink.open(run_info(card))
    assert list(tmp_path.iterdir()) == []


def test_options_are_kept_for_a_recovery(tmp_path: Path) -> None:
    """A format of another package, with an option of its own, as the header of its journal names it."""

    class OptionFormat(ParquetFormat):
        def __init__(self, subject: str = "", table: Path | None = None) -> None:
            self.subject, self.table = subject, table

    class OptionSink(FormatSink):
        format, suffixes = "parquet", (".two.parquet",)

        def __init__(self, path: Path, subject: str = "", table: Path | None = None, overwrite: bool = False) -> None:
            super().__init__(path, OptionFormat, overwrite=overwrite, subject=subject, table=table)

    with pytest.raises(UsageError, match=r"must end in \.two\.parquet"):
        OptionSink(tmp_path / "poses.parquet")
    with OptionSink(tmp_path / "poses.two.parquet", "M12", Path("x.csv")) as sink:
        sink.open(run_info(SINGLE, is_live=True))
        sink.write(estimate(0, points(1)))
    content = dlclive_io.JournalContent(tmp_path / "poses.two.parquet.poses")
    assert content.header["format"] == "parquet"
    assert content.header["options"] == {"subject": "M12", "table": str(Path("x.csv").absolute())}
    (refused,) = recover(tmp_path).files
    assert "has no option" in refused.error  # `parquet` is built with the options of the header
    assert (tmp_path / "poses.two.parquet.poses").exists()


KILLED = """
    import time
    from dataclasses import replace
    from pathlib import Path
    import numpy as np
    from dlclive_core import Estimate, Frame, ModelCard, Pose, Skeleton
    from dlclive_core.testing import run_info
    from dlclive_formats.parquet.parquet_sink import ParquetSink
    from dlclive_io import PoseTable

    skeleton = Skeleton(("snout", "tail"), ((0, 1),))
    image = np.zeros((4, 4), np.uint8)
    sinks = [ParquetSink(Path({folder!r}) / "poses.parquet"), PoseTable(Path({folder!r}) / "poses.h5")]
    for sink in sinks:
        sink.open(replace(run_info(ModelCard(net_type="test", skeleton=skeleton), is_live=True), started_clock=0.0))

    def write(number):
        pose = Pose(np.full((1, 2, 3), number, np.float32), skeleton)
        for sink in sinks:
            sink.write(Estimate(Frame(image, number, number / 100), pose, 0.0, 0.0, 0.0))

    for number in range(1000):
        write(number)
    time.sleep(0.3)
    write(1000)
    print("written", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The folder of a killed run that wrote a Parquet file and a DeepLabCut table."""
    if sys.platform == "win32":
        pytest.skip("needs SIGKILL")
    (tmp_path / "run.json").write_text(json.dumps({"began": "2026-01-01T00:00:00+00:00", "ended": None}))
    script = textwrap.dedent(KILLED).format(folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        with pytest.raises(UsageError, match="is being written"):
            recover(tmp_path)
        os.kill(process.pid, signal.SIGKILL)
    return tmp_path


@pytest.mark.parametrize("order", [(recover, dlclive_io.recover), (dlclive_io.recover, recover)])
def test_a_killed_session_is_written_and_the_two_recoveries_leave_each_others_files_alone(
    killed: Path, order: tuple[object, object]
) -> None:
    first, second = (each(killed).files for each in order)  # type: ignore[operator]
    files = {file.path.name: (file.kind, file.rows, file.error) for file in (*first, *second)}
    assert files == {"poses.parquet": ("poses", 1001, ""), "poses.h5": ("poses", 1001, "")}
    assert sorted(file.name for file in killed.iterdir()) == ["poses.h5", "poses.parquet", "run.json"]
    table = pq.read_table(killed / "poses.parquet").to_pandas()
    assert table.x.tolist() == np.repeat(np.arange(1001), 2).tolist()
    np.testing.assert_allclose(table.time.to_numpy()[::2], np.arange(1001) / 100)
    recovered = json.loads((killed / "run.json").read_text())["recovered"]
    assert sorted(Path(file["path"]).name for entry in recovered for file in entry["files"]) == sorted(files)


def test_damaged_rows_are_left_out_and_reported_and_the_journal_stays(killed: Path) -> None:
    journal = killed / "poses.parquet.poses"
    log = journal.with_name(journal.name + "-wal")
    assert log.exists()
    for path in (journal, log):
        data = bytearray(path.read_bytes())
        value = np.full(6, 500, np.float32).tobytes()
        while (at := data.find(value)) >= 0:
            data[at] ^= 0x55
        path.write_bytes(data)
    (recovered,) = recover(killed).files
    assert (recovered.rows, recovered.error) == (1000, "")
    assert "1 damaged rows are left out" in recovered.note
    assert "poses.parquet.poses" in recovered.note
    assert journal.exists()
    frames = set(pq.read_table(killed / "poses.parquet").column("frame").to_pylist())
    assert frames == set(range(1001)) - {500}


def test_a_journal_becomes_another_file_where_its_own_cannot_be_written(tmp_path: Path) -> None:
    """A counter that jumps by a thousand million leaves no room where there is a row for each frame."""
    catalog = PluginCatalog.installed()
    sleap = catalog.build(SinkInfo, "sleap", tmp_path / "poses.analysis.h5")
    with sleap:
        sleap.open(run_info(SINGLE, is_live=True))
        for number in (0, 1, 10**9, 10**9 + 1):
            sleap.write(estimate(number, points(number)))
        with pytest.raises(UsageError, match="is being written"):
            convert_poses(tmp_path / "poses.analysis.h5.poses", tmp_path / "x.parquet", catalog=catalog)
        with pytest.raises(DataError, match=r"frames.*the poses are kept in .*poses\.analysis\.h5\.poses"):
            sleap.finish()
    (failed,) = recover(tmp_path).files
    assert failed.error
    result = convert_poses(tmp_path / "poses.analysis.h5.poses", tmp_path / "poses.parquet", catalog=catalog)
    assert (result.read_as, result.frames) == ("journal", 10**9 + 2)
    assert rows_of(ParquetFormat().read(tmp_path / "poses.parquet")).numbers.tolist() == [0, 1, 10**9, 10**9 + 1]


def test_a_strangers_file_with_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.poses").write_text("mine")
    (tmp_path / "._x.parquet.poses").write_bytes(b"SQLite format 3\0")
    assert recover(tmp_path).files == ()
    (tmp_path / "lost.parquet.poses").write_text("its first page is gone")
    (tmp_path / "lost.parquet.poses.lock").touch()
    (damaged,) = recover(tmp_path).files
    assert "is not a readable pose journal" in damaged.error
    assert (tmp_path / "lost.parquet.poses").read_text() == "its first page is gone"
