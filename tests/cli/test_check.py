"""`dlclive check`: all errors of a session file at once, those of the model and the frame too; valid means that it runs."""

import re
from pathlib import Path

import pytest

from dlclive_core.cli.live.problems import Problems
from dlclive_core.cli.live.session_problems import _check_folder
from dlclive_core.errors import ConfigurationError, DataError, UsageError

TRIANGLE = "[[0,0],[9,0],[9,9]]"

FAULTY = f"""\
source: mouse
modle: x
model:
  path: MODEL
  devise: cpu
processors:
  - kalmann
  - region: {{polygon: {TRIANGLE}, keypoint: snot}}
  - region: {{polygon: {TRIANGLE}, keypoint: snout, min_confidence: 3}}
sinks:
  - tables: mouse.txt
  - timestamps: gone/times.csv
regions: {{cropping: [0, 100], resize: -2}}
limits: {{seconds: -1, max_frames: ten}}
"""


@pytest.fixture(autouse=True)
def plugins() -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")


def check(dlclive, folder: Path, text: str, model: Path) -> tuple[int, list[str]]:
    """The exit code and the errors."""
    (folder / "rig.yaml").write_text(text.replace("MODEL", str(model)))
    done = dlclive("check", "rig.yaml")
    assert "Traceback" not in done.err
    lines = done.err.splitlines()
    assert all(line.startswith("error: ") for line in lines), done.err
    assert bool(lines) == (done.out == "")
    return done.code, lines


def test_every_error_is_named_with_its_line(dlclive, model, tmp_path) -> None:
    code, errors = check(dlclive, tmp_path, FAULTY, model)
    assert code == ConfigurationError.exit_code
    assert [int(re.match(r"error: rig.yaml:(\d+): ", line)[1]) for line in errors] == [
        2,
        5,
        7,
        8,
        9,
        11,
        12,
        13,
        13,
        14,
        14,
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"rig.yaml"}


def test_an_entry_that_is_missing_does_not_hide_other_errors(dlclive, model, tmp_path) -> None:
    _, errors = check(dlclive, tmp_path, "sinks: [tables: a.txt]\nprocessors: [kalmann]\n", model)
    assert len(errors) == 4
    for text in ("has no source", "has no model", "'kalmann'", "a.txt"):
        assert sum(text in line for line in errors) == 1, text


def test_an_entry_with_an_error_is_not_called_missing(dlclive, model, tmp_path) -> None:
    _, errors = check(dlclive, tmp_path, "source: {mouse: {}, camera: {}}\nmodel: {path: [1, 2}\n", model)
    assert not any("has no" in line for line in errors)
    _, errors = check(dlclive, tmp_path, "source: {mouse: {}, camera: {}}\nmodel: MODEL\n", model)
    assert len(errors) == 1
    assert "must be one component" in errors[0]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (f"source: mouse\nprocessors:\n- region: {{polygon: {TRIANGLE}, keypoint: snot}}\n", 3,
         "rig.yaml:3: no keypoint 'snot': did you mean 'snout'?"),
        (f"source: mouse\nprocessors:\n- region: {{polygon: {TRIANGLE}, keypoint: snot, on_error: skip}}\n", 3,
         "no keypoint 'snot'"),
        (f"source: mouse\nprocessors:\n- stimulate: {{port: /dev/x, polygon: {TRIANGLE}, keypoint: snot}}\n", 3,
         "no keypoint 'snot'"),
        ("source: {mouse: {size: [320, 240]}}\nregions: {cropping: [0, 400, 0, 240]}\n", 3,
         "reaches outside the frame of 320 x 240"),
        ("source: CLIP\nregions: {cropping: [0, 320, 0, 900]}\n", 3, "reaches outside the frame of 320 x 240"),
        ("source: empty.mp4\n", 5, "empty.mp4"),
        ("source: mouse\nsinks:\n- tables: there.h5\n", 2, "there.h5 exists: use overwrite"),
        ("source: mouse\nsinks:\n- tables: left.h5\n", 2, "left.h5.part was left by an interrupted run"),
        ("source: mouse\nsinks:\n- tables: folder.h5\n", 5, "folder.h5: it is a folder"),
        (f"source: mouse\nprocessors:\n- region: {{polygon: {TRIANGLE}, keypoint: snout, events: there.csv}}\n", 2,
         "there.csv exists"),
        ("source: mouse\nsinks:\n- tables: no/where.h5\n", 5, "no folder no; create it first"),
        ("source: mouse\nout: there.h5\n", 5, "there.h5 is a file"),
        ("source: mouse\nout: there.h5/deeper\n", 5, "there.h5 is a file"),
        ("source: mouse\nsinks:\n- tables: a.csv\n- timestamps: a.csv\n", 3, "two sinks write a.csv"),
        ("sources: [mouse, mouse]\n", 3, "two sources have the name 'mouse'"),
        ("source: CLIP\nlimits: {seconds: 3}\n", 2, "seconds limits live sources only"),
    ],
)  # fmt: skip
def test_what_check_finds_run_refuses_too(dlclive, model, clip, tmp_path, text, code, message) -> None:
    for name in ("empty.mp4", "there.h5", "there.csv"):
        (tmp_path / name).write_bytes(b"" if name == "empty.mp4" else b"kept")
    (tmp_path / "left.h5.part").write_bytes(b"kept")
    (tmp_path / "folder.h5").mkdir()
    exit_code, errors = check(dlclive, tmp_path, text.replace("CLIP", str(clip)) + "model: MODEL\n", model)
    assert len(errors) == 1, errors
    assert message in errors[0]
    assert exit_code == code
    assert dlclive("run", "rig.yaml", "--max-frames", 2).code != 0


@pytest.mark.parametrize(
    "text",
    [
        "source: mouse\nsinks:\n- tables: there.h5\noverwrite: true\n",
        "source: mouse\nsinks:\n- tables: {path: there.h5, overwrite: true}\n",
        "source: mouse\nsinks:\n- tables: a.h5\nout: new/folder\n",
        "source: CLIP\nregions: {cropping: [0, 320, 0, 240]}\n",
    ],
)
def test_what_is_valid_runs(dlclive, model, clip, tmp_path, text) -> None:
    (tmp_path / "there.h5").write_bytes(b"replaced")
    assert check(dlclive, tmp_path, text.replace("CLIP", str(clip)) + "model: MODEL\n", model) == (0, [])
    assert {path.name for path in tmp_path.iterdir()} == {"rig.yaml", "there.h5"}
    done = dlclive("run", "rig.yaml", "--max-frames", 2)
    assert done.code == 0, done.err


def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: object) -> None:
        raise PermissionError(13, "Permission denied")

    _check_folder(tmp_path / "new", tmp_path / "new")
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(DataError, match=r"cannot write into .*: Permission denied"):
        _check_folder(tmp_path / "new", tmp_path / "new")


def test_without_collecting_the_first_error_is_raised() -> None:
    problems = Problems()
    with pytest.raises(UsageError, match="first"), problems.caught():
        raise UsageError("first")
    collecting = Problems(collects=True)
    for text in ("b:3: second", "a:2: first", "c: last", "a:2: first"):
        with collecting.caught("model"):
            raise UsageError(text)
    assert [str(error) for error in collecting.errors] == ["a:2: first", "b:3: second", "c: last"]
    assert collecting.entries == {"model"}
    with pytest.raises(ZeroDivisionError), collecting.caught():
        raise ZeroDivisionError
