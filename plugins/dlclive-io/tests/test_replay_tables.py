"""A run without a replay record is read from its tables; a stranger's table runs no program."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import tables
from dlclive_io import PoseTable, TimestampTable, read_run, recover

from dlclive_core import DataError, ModelCard, RecordedRun, RunInfo, Session, Skeleton
from dlclive_core.testing import BlobModel, BlobSource, LiveBlobSource, estimates, run_info

MICE = ModelCard(
    net_type="dekr_w18", skeleton=Skeleton(("snout", "tail")), individuals=("a", "b"), multi_animal=True,
    unique_keypoints=("lever",),
)  # fmt: skip


def read(files: list[Path], run: RunInfo) -> RecordedRun:
    recorded = read_run(files, run)
    assert recorded is not None
    return recorded


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
@pytest.mark.parametrize("is_live", [False, True])
def test_poses_and_times_come_back(tmp_path: Path, suffix: str, *, is_live: bool) -> None:
    table, times = tmp_path / f"poses{suffix}", tmp_path / "times.csv"
    kept = []

    class Keep(TimestampTable):
        def write(self, estimate) -> None:
            kept.append(estimate)
            super().write(estimate)

        def open(self, run) -> None:
            self.run = run
            super().open(run)

    sink, source = Keep(times), (LiveBlobSource if is_live else BlobSource)(frames=80)
    Session(source=source, model=BlobModel(), sinks=[PoseTable(table), sink]).run()
    recorded = read([times, table], run_info(BlobModel().card, is_live=is_live))
    frames = list(recorded.frames())
    assert [one.frame.index for one in frames] == [estimate.frame.index for estimate in kept]
    for one, estimate in zip(frames, kept, strict=True):
        np.testing.assert_array_equal(one.pose.keypoints, estimate.pose.keypoints)
        assert one.frame.captured_at == estimate.frame.captured_at - sink.run.started_clock  # to the last bit
        assert one.frame.device_time == estimate.frame.device_time
        assert one.posed_at == pytest.approx(one.frame.captured_at + estimate.latency * is_live, abs=1e-6)
    assert recorded.inexact
    assert recorded.run.started_clock == 0
    assert recorded.damage == ""


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_several_animals_keep_their_rows(tmp_path: Path, suffix: str) -> None:
    path, run = tmp_path / f"mice{suffix}", run_info(MICE)
    with PoseTable(path) as table:
        table.open(run)
        for estimate in estimates(6, missing=(2,), card=MICE):
            table.write(estimate)
        table.finish()
    frames = list(read([path], run).frames())
    assert [one.frame.index for one in frames] == [0, 1, 2, 3, 4, 5]
    for one, estimate in zip(frames, estimates(6, missing=(2,), card=MICE), strict=True):
        np.testing.assert_array_equal(one.pose.keypoints, estimate.pose.keypoints)
        assert one.pose.unique is not None
        assert one.pose.unique.shape == (1, 3)


def test_without_timestamps_the_rate_counts(tmp_path: Path) -> None:
    path = tmp_path / "mice.csv"
    with PoseTable(path) as table:
        table.open(run_info(MICE))
        for estimate in estimates(3, card=MICE):
            table.write(estimate)
        table.finish()
    recorded = read([path], run_info(MICE, fps=10))
    assert [one.frame.captured_at for one in recorded.frames()] == [0, 0.1, 0.2]
    assert any("10 per second" in reason for reason in recorded.inexact)
    with pytest.raises(DataError, match="no times"):
        read_run([path], run_info(MICE, fps=None))


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_the_table_of_another_model_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mice{suffix}"
    with PoseTable(path) as table:
        table.open(run_info(MICE))
        table.write(next(estimates(1, card=MICE)))
        table.finish()
    with pytest.raises(DataError, match="not a table of this model"):
        list(read([path], run_info()).frames())


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path, times = tmp_path / "a.csv", tmp_path / "t.csv"
    with PoseTable(path) as table, TimestampTable(times) as sink:
        for one in (table, sink):
            one.open(run_info())
        for estimate in estimates(3):
            table.write(estimate)
            sink.write(estimate)
        table.finish()
        sink.finish()
    lines = times.read_text().splitlines(keepends=True)
    times.write_text("".join(lines)[:-5])  # the last line is incomplete: left out, and said
    recorded = read([path, times], run_info())
    assert len(list(recorded.frames())) == 2
    assert recorded.damage == "1 frames have no row in t.csv"
    times.write_text(lines[0] + lines[1].replace(",", ",x", 1) + lines[2])
    with pytest.raises(DataError, match=r"t.csv, line 2: captured_at_s is 'x"):
        list(read([path, times], run_info()).frames())
    path.write_text(path.read_text().replace("0.", "zero.", 1))
    with pytest.raises(DataError, match=r"a.csv, line 4: could not convert"):
        list(read([path], run_info()).frames())


class Bomb:
    """Creates a file when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("exploded"),)


def test_a_strangers_table_is_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.h5"
    with PoseTable(path) as table:
        table.open(run_info())
        for estimate in estimates(3):
            table.write(estimate)
        table.finish()
    with tables.open_file(str(path), "r+") as file:
        bomb = np.bytes_(pickle.dumps(Bomb(), 0))
        for node in (file.root, file.root.df_with_missing, file.root.df_with_missing.table):
            for name in ("TITLE", "VERSION", "index_kind"):
                node._v_attrs._g__setattr(name, bomb)
    with tables.open_file(str(path)) as file:  # as whoever opens it with PyTables does
        assert file.root.df_with_missing.table is not None
    assert (tmp_path / "exploded").exists()
    (tmp_path / "exploded").unlink()
    assert len(list(read([path], run_info()).frames())) == 3
    assert not (tmp_path / "exploded").exists()

    path.rename(tmp_path / "a.h5.part")
    (recovered,) = recover(tmp_path).files
    assert (recovered.path.name, recovered.rows) == ("a.h5", 3)
    assert not (tmp_path / "exploded").exists()


def test_files_without_poses_are_no_run(tmp_path: Path) -> None:
    (tmp_path / "corner.csv").write_text("frame,time,individual,event,x,y,confidence\n")
    (tmp_path / "a.h5").write_text("no HDF5")
    assert read_run([tmp_path / "corner.csv", tmp_path / "a.h5", tmp_path / "gone.csv"], run_info()) is None


def test_objects_in_the_place_of_numbers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTables unpickles the items of a VLArray of objects when they are read."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.h5"
    columns = 3 * len(run_info().card.skeleton.keypoints)
    with tables.open_file(str(path), "w") as file:
        group = file.create_group("/", "df_with_missing")
        index = file.create_vlarray(group, "axis1", tables.ObjectAtom())
        index.append(Bomb())
        file.create_array(group, "block0_values", np.zeros((1, columns), np.float32))
    (tmp_path / "exploded").unlink(missing_ok=True)
    with pytest.raises(DataError, match="is not a table of this model"):
        list(read([path], run_info()).frames())
    assert not (tmp_path / "exploded").exists()


def test_other_readers_are_not_guarded_meanwhile(tmp_path: Path) -> None:
    """Two replays at once, ended in any order, leave PyTables as it was."""
    path = tmp_path / "a.h5"
    with PoseTable(path) as table:
        table.open(run_info())
        for estimate in estimates(3):
            table.write(estimate)
        table.finish()
    first, second = (iter(read([path], run_info()).frames()) for _ in range(2))
    next(first)
    next(second)
    assert tables.attributeset.pickle.loads(pickle.dumps({"a": 1})) == {"a": 1}
    first.close()
    second.close()
    assert tables.attributeset.pickle.loads(pickle.dumps({"a": 1})) == {"a": 1}
