"""`dlclive tune --distill`: a student among the settings. Nothing is trained, and the times are made up."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import Cascade, DistillerInfo, PluginCatalog, load_model
from dlclive_core.benchmark import measure
from dlclive_core.cli import main
from dlclive_core.cli.measure import tune
from dlclive_core.cli.measure.tune import TuneOptions, run_tune
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.plugins.sources import source_for
from dlclive_core.tuning import TunePlan, search
from tests.cli import distilling_lab

pytest.importorskip("onnx", reason="writing a student needs onnx")

INFO = DistillerInfo(name="student", summary="", factory="tests.cli.distilling_lab:distil_for_tune")

Tune = Callable[..., int]
PLANS: list[TunePlan] = []
"""What was searched."""


@pytest.fixture
def mouse(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(model, tmp_path / "mouse.onnx"))


@pytest.fixture
def tuned(mouse: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> Tune:
    """Tune in this process: tuned(ending="good", student_ms=1.0, **options) -> exit code.

    `ending` is how the training ends; a call of the student takes `student_ms`, and of all else 5 ms.
    """
    installed = [
        plugin for plugin in PluginCatalog.installed().plugins if plugin.name in ("onnx", "io", "core", "builtin")
    ]
    lab = Plugin(name="lab", distribution="lab", version="1", status="ready", components=(INFO,))
    monkeypatch.setattr(PluginCatalog, "installed", lambda disabled=None: PluginCatalog([*installed, lab]))
    distilling_lab.PLANS.clear()
    PLANS.clear()

    def run(ending: str = "good", student_ms: float = 1.0, **options) -> int:
        def with_made_up_times(candidates, frames, **arguments):
            return [
                replace(it, times=np.full(len(it.times), (student_ms if it.candidate.student else 5.0) / 1000))
                for it in measure(candidates, frames, **arguments)
            ]

        def searched(plan, *arguments, **more):
            PLANS.append(plan)
            return search(plan, *arguments, measure_candidates=with_made_up_times, **more)

        monkeypatch.setattr(tune, "search", searched)
        monkeypatch.setattr(distilling_lab, "ENDING", [ending])
        given = {
            "max_error": None,
            "goal": "p50",
            "seconds": 2,
            "frames": 20,
            "overwrite": True,
            "json": True,
            "distill": True,
        }
        try:
            run_tune(TuneOptions(model=str(mouse), video=clip, **{**given, **options}))
        except SystemExit as left:
            return int(left.code or 0)
        return 0

    return run


def profile_of(mouse: Path) -> dict:
    return json.loads(mouse.with_name("mouse.profile.json").read_text(encoding="utf-8"))


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_faster_student_within_the_bound_wins_and_answers_in_place_of_the_model(
    tuned: Tune, mouse: Path, clip: Path, capsys: pytest.CaptureFixture[str], dlclive
) -> None:
    assert tuned(max_error=0.75, distill_minutes=3) == 0
    out, err = capsys.readouterr()
    facts = json.loads(out)
    assert facts["chosen"].startswith("student good, onnx:fp32:cpu")
    assert facts["table"][0]["label"] == facts["chosen"]
    assert facts["variant"]["file"] == "mouse.dlclive/student-fp32-onnx/mouse.onnx"
    assert (facts["student"]["kept"], facts["student"]["student"]) == (True, "good")
    assert any("from number 15 on, which the student has not seen" in note for note in facts["notes"])
    assert any("mouse.dlclive" in note and "may be deleted" in note for note in facts["notes"])
    assert "training good: 3 of 7 steps" in err
    (asked,) = distilling_lab.PLANS
    assert (asked.minutes, asked.max_error, asked.videos, asked.model) == (3, 0.75, (clip,), mouse)
    with load_model(mouse, device="auto") as model:
        assert model.card.student is not None
        assert model.loaded_file == mouse.parent / facts["variant"]["file"]
        assert any("a student, good, answers in place of mouse.onnx, as " in note for note in model.notices)
        assert model.predict(PLANS[0].frames.evaluated[0]).unlike is not None
    assert files_below(mouse.with_name("mouse.dlclive")) == ["student-fp32-onnx/mouse.onnx"]
    done = dlclive("analyze", mouse, clip, "--max-frames", 3, "--out", mouse.parent / "poses")
    assert done.code == 0, done.err
    assert "student good, onnx:fp32:cpu" in (mouse.parent / "poses" / "run.json").read_text(encoding="utf-8")
    assert "student good, onnx:fp32:cpu" in json.loads(dlclive("info", mouse, "--json").out)["profile"]


def test_the_frames_that_are_measured_are_those_that_the_student_has_not_seen(tuned: Tune, clip: Path) -> None:
    assert tuned() == 0
    (plan,) = PLANS
    with source_for(clip, PluginCatalog.installed()) as source:
        source.open()
        frames = [source.read(1.0) for _ in range(40)]
    assert np.array_equal(plan.frames.evaluated[0], frames[15].image)
    assert len(plan.frames.evaluated) == 20
    assert len(plan.frames.calibration) == 15
    (asked,) = distilling_lab.PLANS
    assert (asked.minutes, asked.max_error) == (30, 2)
    assert plan.max_error == 0.5


def test_the_model_itself_is_the_fallback_of_its_student(tuned: Tune, mouse: Path) -> None:
    assert tuned() == 0
    with load_model(mouse, fallback=mouse) as model:
        assert isinstance(model, Cascade)
        assert model.student.card.student is not None
        assert model.teacher.loaded_file == mouse
        assert model.teacher.card.student is None
        assert not any("trained by another file" in note for note in model.notices)


def test_a_student_that_is_slower_is_a_row_and_nothing_of_it_is_kept(
    tuned: Tune, mouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tuned(student_ms=1.0) == 0
    assert profile_of(mouse)["variant"]["student"] == "good"
    capsys.readouterr()
    assert tuned(student_ms=9.0) == 0
    facts = json.loads(capsys.readouterr().out)
    assert "student" not in facts["chosen"]
    assert any(row["label"].startswith("student good, onnx:fp32") for row in facts["table"])
    assert files_below(mouse.parent) == ["mouse.onnx", "mouse.profile.json", "mouse.profile.svg"]
    with load_model(mouse) as model:
        assert model.card.student is None
        assert model.notices == ()


def test_without_a_student_within_the_bound_tune_goes_on_and_says_so(
    tuned: Tune, mouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tuned("bad") == 0
    facts = json.loads(capsys.readouterr().out)
    (note,) = [note for note in facts["notes"] if note.startswith("no student: ")]
    assert "bad is 7.00 px from the model at the 95th percentile on 33 frames" in note
    assert "2 px are allowed; --overwrite with more --distill-minutes (now 30) continues in " in note
    assert not any(row["label"].startswith("student") for row in facts["table"])
    assert facts["student"]["kept"] is False
    (plan,) = PLANS
    assert plan.student is None
    assert len(plan.frames.calibration) == 20, (
        "all frames are free to measure on: the clip is split as without --distill"
    )
    assert (mouse.parent / "mouse.dlclive" / "student-clip.onnx.distill").is_dir()


def test_ctrl_c_in_the_training_goes_on_with_the_best_until_then(
    tuned: Tune, mouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tuned("stopped") == 130
    facts = json.loads(capsys.readouterr().out)
    assert "the student's training was stopped after 7 steps" in facts["notes"]
    assert facts["chosen"].startswith("student stopped")
    assert profile_of(mouse)["variant"]["student"] == "stopped"


def test_ctrl_c_before_there_was_a_network_ends_tune(
    tuned: Tune, mouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tuned("killed") == 130
    assert "interrupted before a setting was measured: no profile was written" in capsys.readouterr().err
    assert PLANS == []
    assert not mouse.with_name("mouse.profile.json").exists()


def test_the_table_says_who_answers_in_whose_place(tuned: Tune, capsys: pytest.CaptureFixture[str]) -> None:
    assert tuned(json=False) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "chosen: student good, onnx:fp32:cpu" in out
    assert ", which answers in place of mouse.onnx, 1.00 ms per frame" in out


def error_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line of a `dlclive tune` that is refused."""
    monkeypatch.setattr(sys, "argv", ["dlclive", "tune", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_without_the_plugin_one_line_says_what_to_install(
    mouse: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = [plugin for plugin in PluginCatalog.installed().plugins if plugin.name != "distill"]
    monkeypatch.setattr(PluginCatalog, "installed", lambda disabled=None: PluginCatalog(installed))
    line = error_of(monkeypatch, capsys, mouse, clip, "--distill")
    assert line.startswith("error: no installed plugin distills models; run: pip install ")
    assert line.endswith("dlclive-distill")
    assert files_below(mouse.parent) == ["mouse.onnx"]
    assert not mouse.with_name("mouse.dlclive").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--distill-minutes", 5), "error: --distill-minutes is how long --distill trains: pass both, or neither"),
        (("--distill", "--distill-minutes", 0), "error: --distill-minutes is 0.0; give a number above 0"),
        (("--distill", "--max-error", "nan"), "error: invalid value for '--max-error': it must be a number"),
    ],
)
def test_wrong_options_are_refused_before_any_work(
    mouse: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options, message: str
) -> None:
    assert error_of(monkeypatch, capsys, mouse, clip, *options).startswith(message)
    assert [path.name for path in mouse.parent.iterdir()] == ["mouse.onnx"]
