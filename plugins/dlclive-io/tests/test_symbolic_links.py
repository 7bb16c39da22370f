"""A link in a shared folder, where we write: it is never followed, so that nobody can have another file overwritten."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dlclive_io.recovery.recover import recover
from dlclive_io.tables.pose_journal import journal_of
from dlclive_io.tables.pose_table import PoseTable
from dlclive_io.tables.timestamp_table import TimestampTable
from dlclive_io.video.labelled_video import LabelledVideo
from dlclive_io.video.video_recording import VideoRecording

from dlclive_core import Estimate, Frame, ModelCard, OutputExistsError, Pose, Sink, Skeleton
from dlclive_core.testing import run_info

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links take a privilege there")

SKELETON = Skeleton(("nose",))
CARD = ModelCard(net_type="test", skeleton=SKELETON)
PRECIOUS = "precious"

SINKS: dict[str, Callable[[Path], Sink]] = {
    "p.csv": PoseTable,
    "p.h5": PoseTable,
    "t.csv": TimestampTable,
    "l.mp4": LabelledVideo,
    "r.mkv": VideoRecording,
}
BESIDE = [".part", ".part.lock", ".journal", ".journal-wal", ".journal-journal"]


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "thesis.txt"
    path.parent.mkdir()
    path.write_text(PRECIOUS)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "shared"
    path.mkdir()
    return path


def _run(sink: Sink, *, is_live: bool, finish: bool = True) -> None:
    with sink:
        sink.open(run_info(CARD, is_live=is_live))
        for number in range(5):
            pose = Pose(np.full((1, 1, 3), number, np.float32), SKELETON)
            sink.write(Estimate(Frame(np.zeros((64, 64, 3), np.uint8), number, 0.0), pose, 0.0, 0.0, 0.0))
        if finish:
            sink.finish()


@pytest.mark.parametrize("is_live", [True, False])
@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("name", SINKS)
def test_a_run_follows_no_link(folder: Path, victim: Path, name: str, beside: str, is_live: bool) -> None:
    (folder / f"{name}{beside}").symlink_to(victim)
    sink = SINKS[name](folder / name)
    _run(sink, is_live=is_live)
    assert victim.read_text() == PRECIOUS
    assert list(victim.parent.iterdir()) == [victim]
    for output in sink.outputs:
        assert output.is_file()
        assert not output.is_symlink()
        assert output.stat().st_size > 0


@pytest.mark.parametrize("beside", BESIDE)
def test_a_link_to_nothing_creates_nothing(folder: Path, tmp_path: Path, beside: str) -> None:
    target = tmp_path / "elsewhere"
    (folder / f"p.h5{beside}").symlink_to(target)
    _run(PoseTable(folder / "p.h5"), is_live=True)
    assert not target.exists()


@pytest.mark.parametrize("name", SINKS)
def test_a_link_under_the_final_name_is_a_file_that_exists(folder: Path, victim: Path, name: str) -> None:
    """With overwriting, the link is replaced."""
    for target in (victim, victim.with_name("nothing")):
        link = folder / name
        link.symlink_to(target)
        with pytest.raises(OutputExistsError, match="exists: use overwrite"):
            _run(SINKS[name](link), is_live=False)
        assert link.is_symlink()
        _run(SINKS[name](link, overwrite=True), is_live=False)  # type: ignore[call-arg]
        assert not link.is_symlink()
        link.unlink()
        for rest in folder.iterdir():
            rest.unlink()
    assert victim.read_text() == PRECIOUS
    assert list(victim.parent.iterdir()) == [victim]


@pytest.mark.parametrize("link", ["p.h5.part.new", "p.h5.part.lock", "p.csv.part.lock", "run.json", "p.csv.part.new"])
def test_a_recovery_follows_no_link(folder: Path, victim: Path, link: str) -> None:
    for name in ("p.h5", "p.csv"):
        _run(PoseTable(folder / name), is_live=True, finish=False)
    victim.write_text('{"ended": null}')  # a link to another run's record is not that of this one
    (folder / link).symlink_to(victim)
    report = recover(folder)
    assert [(file.error, file.rows) for file in report.files] == [("", 5), ("", 5)]
    assert victim.read_text() == '{"ended": null}'
    assert list(victim.parent.iterdir()) == [victim]


@pytest.mark.parametrize("link", ["a.h5.part", "a.csv.part", "a.mkv.part"])
def test_a_link_in_place_of_a_part_is_an_error_of_its_own(folder: Path, victim: Path, link: str) -> None:
    _run(PoseTable(folder / "p.h5"), is_live=True, finish=False)
    (folder / link).symlink_to(victim)
    recovered = {file.path.name: file for file in recover(folder).files}
    assert recovered["p.h5"].error == ""
    assert "is not a file but a link" in recovered[link].error
    assert victim.read_text() == PRECIOUS


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_link_in_place_of_a_journal_is_not_read(folder: Path, victim: Path, suffix: str) -> None:
    _run(PoseTable(folder / "p.h5"), is_live=True, finish=False)
    journal = journal_of(folder / "p.h5")
    journal.touch()
    link = journal.with_name(journal.name + suffix)
    link.unlink(missing_ok=True)
    link.symlink_to(victim)
    (recovered,) = recover(folder).files
    assert "is a symbolic link" in recovered.error
    assert victim.read_text() == PRECIOUS
