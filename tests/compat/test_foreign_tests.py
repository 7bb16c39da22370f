"""What the session `compat` does with the outcomes of other projects' tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tools.compat import foreign_tests, sources
from tools.compat.foreign_tests import run_tests, unexpected
from tools.compat.script_rows import ScriptRow, script_rows

FOREIGN = """
import pytest

def test_passes():
    pass

def test_fails():
    assert 1 == 2

class TestGroup:
    def test_in_a_class(self):
        raise ValueError("no")

@pytest.mark.skip(reason="no camera")
def test_skipped():
    pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_theirs.py").write_text(FOREIGN)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def test_failures_are_listed_and_those_listed_fail(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes, _ = run_tests(folder, ["tests"])
    results = {outcome.test.rpartition("::")[2]: outcome.result for outcome in outcomes}
    assert results == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_in_a_class": "failed",
        "test_skipped": "skipped",
    }
    monkeypatch.setattr(foreign_tests, "EXPECTED_FAILURES", {})
    assert len(unexpected("live", outcomes)) == 2
    listed = {
        "live tests/test_theirs.py::test_fails": "1 is not 2",
        "live tests/test_theirs.py::TestGroup::test_in_a_class": "no",
        "gui tests/test_other.py::test_else": "not asked about",
    }
    monkeypatch.setattr(foreign_tests, "EXPECTED_FAILURES", listed)
    assert unexpected("live", outcomes) == []
    listed["live tests/test_theirs.py::test_passes"] = "it does not fail any more"
    listed["live tests/test_theirs.py::test_gone"] = "it is not there any more"
    lines = unexpected("live", outcomes)
    assert ["but passed" in lines[0], "but not found" in lines[1]] == [True, True]


def test_a_folder_without_tests_is_not_a_success(folder: Path) -> None:
    with pytest.raises(SystemExit, match="pytest ended with"):
        run_tests(folder, ["tests/test_none.py"])


def test_tests_from_a_folder_are_taken_once(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "taken"
    assert sources.fetch_live(target, str(folder))
    (target / "tests" / "mine").write_text("kept")
    assert sources.fetch_live(target, str(folder))
    assert (target / "tests" / "mine").exists()
    assert (target / "tests" / "test_theirs.py").read_text() == FOREIGN


def test_without_github_the_tests_of_another_origin_are_not_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The session runs what is marked as complete: after "were NOT run", nothing may be."""
    target = tmp_path / "taken"
    assert sources.fetch_live(target, str(folder))
    monkeypatch.setattr(sources, "LIVE", str(tmp_path / "no repository"))
    assert not sources.fetch_live(target, "")
    assert "were NOT run" in capsys.readouterr().out
    assert not (target / ".complete").exists()


def test_a_script_must_give_the_same_poses() -> None:
    assert ScriptRow("crop", frames=3, px=0.001, likelihood=0.0).broken == ""
    assert ScriptRow("fp16", frames=3, px=0.04, likelihood=0.0).broken == ""
    assert "bounds 0.01 px and" in ScriptRow("crop", frames=3, px=0.02, likelihood=0.0).broken
    assert "likelihood of 0.1000" in ScriptRow("crop", frames=3, px=0.0, likelihood=0.1).broken
    assert ScriptRow("crop", frames=0, px=0.0, likelihood=0.0).broken
    assert ScriptRow("crop", error="it raised").broken == "it raised"


def test_scripts_must_give_all_frames_unless_they_drop_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.compat.script_rows.SCRIPTS", {"crop": None, "live_video": None})
    for file, index in (("old", [0, 1, 2]), ("new", [0, 2])):
        poses = {name: np.zeros((len(index), 4, 3)) for name in ("crop", "live_video")}
        np.savez(tmp_path / f"{file}.npz", **poses, **{f"{name}.index": np.array(index) for name in poses})
    whole, some = script_rows(tmp_path / "old.npz", tmp_path / "new.npz")
    assert whole.broken == "not the same frames"
    assert (some.frames, some.broken) == (2, "")
