"""recover, when a disk has damaged what a killed run left: a damaged byte costs its rows, and no other row or file."""

from __future__ import annotations

import csv
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dlclive_io.recovery.recover import recover
from dlclive_io.tables.csv_table import CsvTable
from dlclive_io.tables.journal_content import JournalContent
from dlclive_io.tables.journal_log import mend_log
from dlclive_io.tables.pose_journal import PoseJournal, journal_of
from dlclive_io.tables.pose_table import PoseTable
from dlclive_io.tables.timestamp_table import TimestampTable
from dlclive_io.video.video_times import VideoTimes

from dlclive_core import Estimate, Frame, ModelCard, Pose, Sink, Skeleton
from dlclive_core.testing import run_info

SKELETON = Skeleton(("nose", "tail"))
CARD = ModelCard(net_type="test", skeleton=SKELETON)
RUN = run_info(CARD, is_live=True, fps=50.0)
IMAGE = np.zeros((8, 8, 3), np.uint8)
ROWS = 200


def _estimate(number: int) -> Estimate:
    at = RUN.started_clock + number / 50
    return Estimate(Frame(IMAGE, number, at), Pose(np.full((1, 2, 3), number, np.float32), SKELETON), at, at, at)


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """A folder with a table of each kind, as a killed process leaves it: 200 rows, in which every number is the frame's."""
    work, folder = tmp_path / "work", tmp_path / "crashed"
    work.mkdir()
    folder.mkdir()
    sinks: list[Sink] = [
        PoseTable(work / "a.h5"),
        PoseTable(work / "b.h5"),
        PoseTable(work / "c.csv"),
        TimestampTable(work / "d.csv"),
    ]
    for sink in sinks:
        sink.open(RUN)
    for number in range(ROWS):
        for sink in sinks:
            sink.write(_estimate(number))
        if number % 10 == 9:
            for sink in sinks:
                if isinstance(sink, PoseTable) and sink._journal is not None:
                    sink._journal.commit()
    for sink in sinks:  # text is flushed on time alone
        if isinstance(sink, TimestampTable):
            sink._opened().flush()
        elif isinstance(sink, PoseTable) and isinstance(sink._table, CsvTable):
            sink._table._file.flush()
    for path in work.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    for sink in sinks:
        sink.close()
    return folder


def _part(folder: Path, name: str) -> Path:
    return folder / f"{name}.part"


def _poses(path: Path) -> dict[int, float]:
    """The frames that have a row, and the number in it; every row holds one number alone."""
    table = pd.read_hdf(path) if path.suffix == ".h5" else pd.read_csv(path, header=[0, 1, 2], index_col=0)
    whole = table.dropna(how="all")
    values = whole.to_numpy()
    assert (values == values[:, :1]).all()
    return dict(zip(whole.index.tolist(), values[:, 0].tolist(), strict=True))


def _whole(*without: int) -> dict[int, float]:
    return {number: float(number) for number in range(ROWS) if number not in without}


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def _flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0xA5
    path.write_bytes(data)


def _byte_of_row(path: Path, number: int, offset: int) -> int:
    """Where a row of a CSV file begins, plus an offset."""
    data = path.read_bytes()
    return data.index(f"\n{number},".encode()) + 1 + offset


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("a.h5.part", lambda folder: _flip(folder / "a.h5.part", 40)),
        ("a.h5.journal", lambda folder: (folder / "a.h5.journal-wal").write_bytes(b"\xff" * 50_000)),
        ("c.csv.part", lambda folder: _flip(folder / "c.csv.part", 3)),
        ("c.csv.part", lambda folder: (folder / "c.csv.part").write_bytes(b"\xff\xfe\x00" * 5000)),
        ("c.csv.part", lambda folder: (folder / "c.csv.part").write_bytes(b'scorer,"' + b"x,1\n" * 100_000)),
        ("d.csv.part", lambda folder: (folder / "d.csv.part").write_bytes(bytes(9000))),
        ("d.csv.part", lambda folder: (folder / "d.csv.part").write_bytes(b"")),
    ],
)
def test_whatever_happened_to_one_file_the_others_are_recovered(
    crashed: Path, name: str, damage: Callable[[Path], object]
) -> None:
    damage(crashed)
    report = recover(crashed)
    by_name = {file.path.name.removesuffix(".part"): file for file in report.files}
    assert set(by_name) == {"a.h5", "b.h5", "c.csv", "d.csv"}
    damaged = name.removesuffix(".part").removesuffix(".journal")
    for other in {"a.h5", "b.h5", "c.csv", "d.csv"} - {damaged}:
        assert by_name[other].error == ""
        assert by_name[other].rows == ROWS
    for file in report.files:
        assert "\n" not in file.error + file.note
        assert file.path.exists()


def test_a_byte_of_each_table_that_is_no_text(crashed: Path) -> None:
    _flip(_part(crashed, "c.csv"), _byte_of_row(_part(crashed, "c.csv"), 57, 4))
    _flip(_part(crashed, "d.csv"), _byte_of_row(_part(crashed, "d.csv"), 90, 5))
    by_name = {file.path.name: file for file in recover(crashed).files}
    assert _poses(crashed / "c.csv") == _whole(57)
    assert "1 damaged rows removed" in by_name["c.csv"].note
    with (crashed / "d.csv").open(newline="") as file:
        assert [int(row["frame"]) for row in csv.DictReader(file)] == [n for n in range(ROWS) if n != 90]
    assert (by_name["c.csv"].rows, by_name["d.csv"].rows) == (ROWS - 1, ROWS - 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\n57,", b"\n97,"),  # too large: the rows behind it are in order
        (b"\n57,", b"\n07,"),
        (b"\n57,", b"\n-7,"),
        (b"\n57,", b"\n57"),
        (b"\n57,57.0,", b"\n57,57.0\n"),
        (b"\n57,57.0,", b'\n57,"7.0,'),  # a quote that would swallow all that follows
        (b"\n57,57.0,", b"\n57,57.0,,"),
        (b"\n57,57.0,", b"\n57,nan0,"),
        (b"\n57,57.0,", b"\n57,1e999,"),
        (b"\n57,57.0,", b"\n57,\0\0.0,"),
        (b"\n57,", b"\n99999999999999999999999,"),
    ],
)
def test_a_damaged_row_of_text_costs_itself(crashed: Path, old: bytes, new: bytes) -> None:
    path = _part(crashed, "c.csv")
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))
    by_name = {file.path.name: file for file in recover(crashed).files}
    assert _poses(crashed / "c.csv") == _whole(57)
    assert by_name["c.csv"].rows == ROWS - 1
    assert "damaged rows removed" in by_name["c.csv"].note


def test_a_damaged_name_of_a_video_leads_nowhere(tmp_path: Path) -> None:
    times = VideoTimes(tmp_path / "raw_timestamps.csv", overwrite=False)
    times.open(RUN)
    for number, name in enumerate(("raw.mkv", "../raw.mkv", "raw.mkv")):
        times.write(_estimate(number).frame, name, number)
    times.end()
    times.output.release()
    (tmp_path.parent / "raw.mkv.part").write_text("another recording's")
    (recovered,) = recover(tmp_path).files
    assert (recovered.error, recovered.rows) == ("", 3)
    (tmp_path.parent / "raw.mkv.part").unlink()


def _journal(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE frames SET float32_values = x'00' WHERE frame = 57",
        "UPDATE frames SET float32_values = zeroblob(28) WHERE frame = 57",
        "UPDATE frames SET float32_values = zeroblob(24) WHERE frame = 57",  # the right length, and not what was written
        "UPDATE frames SET float32_values = 'text' WHERE frame = 57",
        "UPDATE frames SET float32_values = NULL WHERE frame = 57",
    ],
)
def test_a_damaged_row_of_a_journal_costs_itself(crashed: Path, change: str) -> None:
    with _journal(journal_of(crashed / "a.h5")) as database:
        database.execute(change)
    database.close()
    by_name = {file.path.name: file for file in recover(crashed).files}
    assert _poses(crashed / "a.h5") == _whole(57)
    assert "1 damaged rows are left out, which is kept as a.h5.journal" in by_name["a.h5"].note
    assert journal_of(crashed / "a.h5").exists()
    assert not journal_of(crashed / "b.h5").exists()


@pytest.mark.parametrize("number", [-1, 2**62, 2**63 - 1])
def test_a_frame_that_no_source_counts_to_is_left_out(crashed: Path, number: int) -> None:
    with _journal(journal_of(crashed / "a.h5")) as database:
        database.execute("INSERT INTO frames VALUES (?, 0.0, zeroblob(24))", (number,))
    database.close()
    by_name = {file.path.name: file for file in recover(crashed).files}
    assert by_name["a.h5"].error == ""
    assert _poses(crashed / "a.h5") == _whole()


def test_a_wild_number_in_a_journal_fills_no_disk(crashed: Path) -> None:
    with _journal(journal_of(crashed / "a.h5")) as database:
        database.execute("INSERT INTO frames SELECT 1099511627776, 0.0, float32_values FROM frames WHERE frame = 1")
    database.close()
    by_name = {file.path.name: file for file in recover(crashed).files}
    assert by_name["a.h5"].rows == ROWS + 1
    assert _poses(crashed / "a.h5") == {**_whole(), 2**40: 1.0}


def test_any_damaged_byte_of_a_log_costs_at_most_the_row_that_it_hit(crashed: Path) -> None:
    """SQLite alone would discard every row behind it."""
    wal = crashed / "a.h5.journal-wal"
    data = wal.read_bytes()
    frames = (len(data) - 32) // (24 + 4096)
    assert frames > 20
    positions = [0, 5, 9, 17, 26]  # of the header
    positions += [32 + (24 + 4096) * (frames // 2) + offset for offset in (1, 3, 6, 9, 14, 17, 22, 24 + 4090)]
    for position in positions:
        folder = crashed.parent / f"at {position}"
        folder.mkdir()
        for path in crashed.glob("a.h5*"):
            (folder / path.name).write_bytes(path.read_bytes())
        _flip(folder / wal.name, position)
        (recovered,) = recover(folder).files
        assert recovered.error == "", position
        whole = _whole()
        rows = _poses(folder / "a.h5")
        assert len(rows) >= ROWS - 1, (position, sorted(set(whole) - set(rows)), recovered.note)
        assert all(whole[number] == value for number, value in rows.items()), position
        assert "damaged" in recovered.note
        assert (folder / f"{wal.name}.damaged").exists()


def test_a_log_that_ends_in_the_middle_of_a_frame_is_not_mended(crashed: Path) -> None:
    wal = crashed / "a.h5.journal-wal"
    wal.write_bytes(wal.read_bytes()[:-1000])
    before = wal.read_bytes()
    assert not mend_log(wal, crashed / "kept")
    assert wal.read_bytes() == before
    assert not mend_log(crashed / "none", crashed / "kept")
    assert not (crashed / "kept").exists()


def test_a_damaged_page_costs_its_own_rows(tmp_path: Path) -> None:
    """Also where it lies in the middle of a long journal."""
    path = tmp_path / "a.h5.journal"
    journal = PoseJournal(path, RUN)
    for number in range(5000):
        journal.add(number, RUN.started_clock, np.full(6, number, np.float32))
    journal.close()
    data = bytearray(path.read_bytes())
    row = struct.pack("<6f", *[2500.0] * 6)
    page = data.index(row) // 4096
    data[4096 * page : 4096 * page + 8] = b"\xff" * 8
    path.write_bytes(data)
    content = JournalContent(path)
    rows = dict(content.frames(6))
    assert content.damaged_places == 1
    assert 5000 - 2 * 4096 // 33 < len(rows) < 5000  # a row takes at least 33 bytes of a page
    assert 2500 not in rows
    assert {0, 4999} <= set(rows)
    assert all((values == number).all() for number, values in rows.items())
    missing = sorted(set(range(5000)) - set(rows))
    assert missing == list(range(missing[0], missing[-1] + 1))
    assert list(rows) == sorted(rows)


def test_a_file_with_both_its_names_is_finished(tmp_path: Path) -> None:
    """Killed after the finished file got its name, and before it lost the other."""
    with PoseTable(tmp_path / "mouse.csv") as sink:
        sink.open(RUN)
        sink.write(_estimate(0))
        sink.finish()
    _part(tmp_path, "mouse.csv").hardlink_to(tmp_path / "mouse.csv")
    (recovered,) = recover(tmp_path).files
    assert (recovered.path, recovered.error) == (tmp_path / "mouse.csv", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mouse.csv", "run.json"]
