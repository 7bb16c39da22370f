"""Errors of the command line: one form, old names that lead to new ones, and mistakes that leave nothing behind."""

import importlib
import inspect
import sys
from pathlib import Path

import pytest
import typer

from dlclive_core import DLCLive
from dlclive_core.cli import main
from dlclive_core.cli.app import app
from dlclive_core.cli.usage_errors import RENAMED_OPTIONS
from dlclive_core.demo import MODEL

COMMANDS = typer.main.get_command(app).commands


def options_of(command: str) -> set[str]:
    return {name for parameter in COMMANDS[command].params for name in parameter.opts}


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Run a command in an empty folder; returns the exit code and the one line of its error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["dlclive", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("error: ")
        assert printed.err.count("\n") == 1, printed.err
        return int(ended.value.code or 0), printed.err.strip()

    return run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("analyze",), "missing argument"),
        (("analyze", "m"), "missing argument 'VIDEOS'; see"),
        (("distill", "m", "v"), "missing argument 'VIDEOS' or 'OUT': dlclive distill MODEL VIDEOS... OUT; see"),
        (("analyse",), "Did you mean 'analyze'?"),
        (("analyze", "m", "v", "--outt", "x"), "--out"),
        (("run", "--max-frames", "0"), "'--max-frames'"),
        (("run", "--max-frames", "many"), "'--max-frames'"),
        (("run", "--seconds", "nan"), "'--seconds'"),
        (("run", "--source"), "--source"),
        (("plugins", "shw"), "'show'"),
        (("demo", "extra"), "extra"),
    ],
)
def test_an_error_of_the_command_line_looks_like_any_other(fails, arguments, message) -> None:
    code, line = fails(*arguments)
    assert code == 2
    assert message in line
    assert line.endswith(" --help")


@pytest.mark.parametrize(("command", "old"), RENAMED_OPTIONS)
def test_an_old_option_names_the_new_one(fails, command: str, old: str) -> None:
    new = RENAMED_OPTIONS[command, old]
    assert new in options_of(command)
    assert old not in options_of(command)
    assert fails(command, "a", "b", old, "1") == (2, f"error: dlclive {command} has no option {old}: it is now {new}")


def test_an_old_name_is_not_an_option_of_another_command_with_that_meaning() -> None:
    for command in COMMANDS:
        if command != "plugins":
            assert not options_of(command) & {"--frames", "--time", "--set"}, command
    assert {command for command in COMMANDS if "--follow" in options_of(command)} == {"analyze", "latency", "run"}


def test_keypoints_are_drawn_from_the_same_confidence_everywhere() -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    drawing = importlib.import_module("dlclive_io")
    factories = [DLCLive, drawing.DisplayWindow, drawing.WebDisplay, drawing.LabelledVideo, drawing.VideoRecording]
    defaults = {inspect.signature(factory).parameters["pcutoff"].default for factory in factories}
    defaults |= {parameter.default for parameter in COMMANDS["analyze"].params if parameter.name == "pcutoff"}
    assert defaults == {0.5}


def test_a_folder_in_the_place_of_a_session_file_is_named(fails, tmp_path) -> None:
    _, line = fails("check", ".")
    assert line.endswith(". is a folder: give a session file, such as rig.yaml")


@pytest.mark.parametrize("target", ["folder", "old.onnx"])
def test_a_mistyped_model_to_export_is_no_swapped_one(fails, tmp_path, target) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "old.onnx").write_bytes(b"file")
    _, line = fails("export", "nosuch.pt", target, "--overwrite")
    assert "nosuch.pt" in line
    assert "the model comes first" not in line


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (("analyze", "clip.mp4", "mouse.onnx"), "dlclive analyze mouse.onnx clip.mp4"),
        (("analyze", "gone.mp4", "mouse.onnx", "b.mp4"), "dlclive analyze mouse.onnx gone.mp4 b.mp4"),
        (("benchmark", "clip.mp4", "mouse.onnx", "--out", "new"), "dlclive benchmark mouse.onnx clip.mp4"),
        (("tune", "clip.mp4", "mouse.onnx"), "dlclive tune mouse.onnx clip.mp4"),
        (("export", "new.onnx", "mouse.onnx"), "dlclive export mouse.onnx new.onnx"),
    ],
)
def test_swapped_arguments_are_put_in_order(fails, tmp_path, arguments, right) -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    for name in ("clip.mp4", "mouse.onnx"):
        (tmp_path / name).write_bytes(b"file")
    _, line = fails(*arguments)
    assert "the model comes first" in line
    assert line.endswith(right)
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "mouse.onnx"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("analyze", "gone.onnx", "clip.mp4", "--out", "new/folder"), 3),
        (("analyze", MODEL, "gone.mp4", "--out", "new/folder"), 4),
        (("analyze", MODEL, "notes.txt", "--out", "new/folder"), 5),
        (("benchmark", "gone.onnx", "--out", "new/folder"), 3),
        (("benchmark", MODEL, "gone.mp4", "--out", "new/folder"), 4),
        (("run", "--source", "gone.mp4", "--model", MODEL, "--out", "new/folder"), 4),
        (("run", "--source", "mouse", "--model", "gone.onnx", "--out", "new/folder"), 3),
        (("export", "gone.onnx", "new.onnx"), 3),
        (("export", MODEL, "new.onnx", "--precision", "int8", "--video", "gone.mp4"), 4),
        (("tune", "gone.onnx", "clip.mp4"), 3),
        (("tune", MODEL, "gone.mp4"), 4),
    ],
)
def test_a_mistyped_name_leaves_nothing_behind(fails, tmp_path, arguments, code) -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    pytest.importorskip("dlclive_onnx", reason="needs dlclive-onnx")
    for name in ("clip.mp4", "notes.txt"):
        (tmp_path / name).write_bytes(b"file")
    beside = set(MODEL.parent.iterdir())
    assert fails(*arguments)[0] == code
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "notes.txt"}
    assert set(MODEL.parent.iterdir()) == beside


def test_precisions_are_read_in_any_case(fails, tmp_path) -> None:
    pytest.importorskip("dlclive_onnx", reason="needs dlclive-onnx")
    _, line = fails("export", MODEL, "new.onnx", "--precision", "INT8")
    assert "pass a clip with at least" in line
    _, line = fails("export", MODEL, "new.onnx", "--precision", "FP17")
    assert "no precision 'fp17' for .onnx files: choose from " in line


@pytest.mark.parametrize(
    ("name", "advice"),
    [("mouse", "dlclive plugins show builtin"), ("builtn", "did you mean 'builtin'?")],
)
def test_a_component_in_place_of_a_plugin_leads_to_its_plugin(fails, name, advice) -> None:
    code, line = fails("plugins", "show", name)
    assert code == 3
    assert advice in line
