"""`dlclive distill`: what it asks a distiller for, what it prints, and what it refuses before any work."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dlclive_core import DistillerInfo, DistillPlan, PluginCatalog
from dlclive_core.cli import main
from dlclive_core.cli.distill import run_distill
from dlclive_core.cli.distill_progress import _Lines, distill_line
from dlclive_core.distillation import DistillProgress
from dlclive_core.plugins.catalog import Plugin
from tests.cli import distilling_lab

INFO = DistillerInfo(name="student", summary="", factory="tests.cli.distilling_lab:distil")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def distill(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `dlclive distill ARGUMENTS...` in a folder with a model and two videos: code, standard output, standard error."""
    lab = Plugin(name="lab", distribution="lab", version="1", status="ready", components=(INFO,))
    installed = [plugin for plugin in PluginCatalog.installed().plugins if plugin.name != "distill"]
    monkeypatch.setattr(PluginCatalog, "installed", lambda disabled=None: PluginCatalog([*installed, lab]))
    monkeypatch.chdir(tmp_path)
    for name in ("teacher.pt", "a.mp4", "b.mp4"):
        Path(name).write_bytes(b"file")
    distilling_lab.PLANS.clear()

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dlclive", "distill", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


def test_the_options_reach_the_distiller(distill: Run) -> None:
    code, _, _ = distill(
        "teacher.pt", "a.mp4", "b.mp4", "out.onnx", "--minutes", 3, "--max-error", 1.5, "--seed", 4, "--steps", 9,
        "--student", "good", "--animals", 3, "--project", "project", "--training-frames", 200, "--device", "cpu",
        "--threads", 2,
    )  # fmt: skip
    assert code == 0
    assert [
        DistillPlan(
            model=Path("teacher.pt"), videos=(Path("a.mp4"), Path("b.mp4")), out=Path("out.onnx"), minutes=3, max_error=1.5,
            seed=4, steps=9, student="good", animals=3, project=Path("project"), training_frames=200, device="cpu", threads=2,
        )
    ] == distilling_lab.PLANS  # fmt: skip


def test_the_summary_says_how_good_it_is(distill: Run) -> None:
    code, out, err = distill("teacher.pt", "a.mp4", "out.onnx")
    assert code == 0
    assert "good: 7 steps on 100 frames in 1.5 min, judged on 33 frames that it has not seen" in out
    (row,) = [line.split() for line in out.splitlines() if "distance to the teacher" in line]
    assert row[-4:] == ["99", "0.50", "1.50", "9.00"]
    for text in (
        "unlike what it has learnt: 25.0 %",
        "lost, of the keypoints of which the teacher is sure: 12.5 %",
        "hallucinated, of the keypoints that the teacher does not see: -",
        "jitter: 0.75 px, the teacher's: 1.25 px",
        "labels on 17 points of 5 images: mean 3.50 px, median 3.00 px; the teacher's: mean 2.50 px, median 2.00 px",
        "2 labelled images could not be compared",
        "out.onnx (0.0 MB); working folder: out.onnx.distill",
    ):
        assert text in out
    assert "warning: mouse.mp4 is damaged" in err
    assert "labelling mouse.mp4" in err
    assert "training good: 3 of 7 steps, 1.50 px median, 4.25 px p95" in err


def test_of_several_animals_animals_are_counted(distill: Run) -> None:
    code, out, _ = distill("teacher.pt", "a.mp4", "out.onnx", "--animals", 4)
    assert code == 0
    assert "distance to the teacher, of animals that it finds" in out
    assert "lost, of the animals that the teacher sees: 12.5 %" in out
    assert "hallucinated, of the animals that the student sees: 2.0 %" in out
    assert "keypoints of which the teacher is sure" not in out


def test_a_student_that_loses_animals_is_an_error_that_says_so(distill: Run) -> None:
    code, _, err = distill("teacher.pt", "a.mp4", "out.onnx", "--animals", 4, "--student", "miscounting")
    assert code == 3
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert (
        "no file was written: of 4 animals at most, the student loses 12.5 %, and 2.0 % of those it finds are none"
        in line
    )
    assert "5 % are allowed of each; what helps: more videos" in line
    assert not Path("out.onnx").exists()


def test_the_result_is_printed_as_json(distill: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Not by the program itself: what reserves its standard output cannot be undone in this process."""
    plan = DistillPlan(model=Path("teacher.pt"), videos=(Path("a.mp4"),), out=Path("out.onnx"))
    assert run_distill(plan, json=True) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["kept"], values["target"]) == (True, "out.onnx")
    assert values["judgement"]["error"]["p95_px"] == 1.5
    assert values["judgement"]["hallucinated"] is None
    assert values["judgement"]["human"]["points"] == 17


def test_a_student_beyond_the_bound_is_an_error_that_says_how_near_it_came(distill: Run) -> None:
    code, out, err = distill("teacher.pt", "a.mp4", "out.onnx", "--student", "bad")
    assert code == 3
    assert "distance to the teacher" in out
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "no file was written: the student is 7.00 px from its teacher at the 95th percentile on 33 frames" in line
    assert "more than the 2 px allowed; what helps: more videos" in line
    assert not Path("out.onnx").exists()


def test_ctrl_c_keeps_a_good_network_and_says_so(distill: Run) -> None:
    code, _, err = distill("teacher.pt", "a.mp4", "out.onnx", "--student", "stopped")
    assert code == 130
    assert "stopped after 7 steps; the best network until then is in out.onnx" in err
    assert Path("out.onnx").exists()


def test_ctrl_c_before_there_is_a_network_says_what_is_kept(distill: Run) -> None:
    code, _, err = distill("teacher.pt", "a.mp4", "out.onnx", "--student", "killed")
    assert code == 130
    assert "stopped before there was a network to judge; out.onnx.distill keeps what is done" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("teacher.pt", "a.mp4", "b.mp4"), 2, "dlclive distill teacher.pt a.mp4 b.mp4 OUT.onnx"),
        (("teacher.pt", "out.onnx", "a.mp4"), 2, "dlclive distill teacher.pt a.mp4 out.onnx"),
        (("a.mp4", "teacher.pt", "out.onnx"), 2, "the model comes first, before the videos: dlclive distill teacher.pt a.mp4"),
        (("teacher.pt", "a.mp4"), 2, "missing argument"),
        (("teacher.pt", "a.mp4", "out.txt"), 2, "out.txt must end in .onnx"),
        (("teacher.pt", "a.mp4", "no/out.onnx"), 5, "no such folder: no"),
        (("teacher.pt", "a.mp4", "./a.mp4", "out.onnx"), 2, "is given twice"),
        (("nobody.pt", "a.mp4", "out.onnx"), 3, "no such file or folder: nobody.pt"),
        (("teacher.pt", "a.mp4", "out.onnx", "--minutes", "0"), 2, "minutes is 0.0; give a number above 0"),
        (("teacher.pt", "a.mp4", "out.onnx", "--minutes", "nan"), 2, "must be a number"),
        (("teacher.pt", "a.mp4", "out.onnx", "--max-error", "-1"), 2, "max_error is -1.0"),
        (("teacher.pt", "a.mp4", "out.onnx", "--training-frames", "10"), 2, "training_frames is 10; give a number at"),
        (("teacher.pt", "a.mp4", "out.onnx", "--seed", "-1"), 2, "seed is -1"),
        (("teacher.pt", "a.mp4", "out.onnx", "--steps", "0"), 2, "steps is 0"),
        (("teacher.pt", "a.mp4", "out.onnx", "--student", " "), 2, "student is empty"),
        (("teacher.pt", "a.mp4", "out.onnx", "--animals", "0"), 2, "animals is 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_one_line_before_any_work(
    distill: Run, arguments: tuple[str, ...], code: int, message: str
) -> None:
    found, out, err = distill(*arguments)
    assert (found, out) == (code, "")
    (line,) = err.splitlines()
    assert message in line
    assert distilling_lab.PLANS == []
    assert not Path("out.onnx").exists()


def test_an_existing_file_is_replaced_only_if_that_was_asked_for(distill: Run) -> None:
    Path("out.onnx").write_bytes(b"mine")
    code, _, err = distill("teacher.pt", "a.mp4", "out.onnx")
    assert code == 2
    assert "out.onnx already exists" in err
    assert Path("out.onnx").read_bytes() == b"mine"
    assert distilling_lab.PLANS == []
    assert distill("teacher.pt", "a.mp4", "out.onnx", "--overwrite")[0] == 0
    assert distilling_lab.PLANS[0].overwrite


def test_a_line_comes_when_a_stage_begins_and_every_half_minute() -> None:
    lines: list[str] = []
    now = 100.0
    show = _Lines(lines.append, lambda: now)
    for seconds, stage, done in ((0, "labelling", 0), (10, "labelling", 5), (31, "labelling", 9), (32, "training", 0)):
        now = 100.0 + seconds
        show(DistillProgress(stage=stage, done=done, total=20))
    assert lines == ["labelling", "labelling: 9 of 20 frames", "training"]


def test_a_line_without_a_total_or_an_error_has_none() -> None:
    assert distill_line(DistillProgress(stage="looking", done=4)) == "looking: 4 frames"
