"""Students on the command line: what `info` shows, frames unlike the training, and the teacher as a fallback."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from dlclive_core.machine.system import sha256
from tests.students import FACTS, write_student


@pytest.fixture
def student(tmp_path: Path, model: Path) -> Path:
    """A student of the demo model. Frames with a mean above 100 are unlike its training."""
    pytest.importorskip("onnx", reason="writing a student needs onnx")
    write_student(tmp_path / "student.onnx", bright=100)
    return tmp_path / "student.onnx"


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Six images, of which the third and the fifth are bright: 1.5."""
    pytest.importorskip("dlclive_io", reason="images need dlclive-io")
    cv2 = pytest.importorskip("cv2")
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, value in enumerate((50, 50, 150, 50, 150, 50)):
        cv2.imwrite(str(folder / f"img{number}.png"), np.full((240, 320, 3), value, np.uint8))
    return folder


def test_info_shows_how_a_student_was_trained(dlclive, student, model) -> None:
    text = " ".join(dlclive("info", student).out.split())
    assert f"student of {model.name}, SHA-256 {sha256(model)[:12]}..." in text
    assert "trained as window-128, on 1200 frames of monday.mp4, tuesday.mp4; 5000 steps, seed 7" in text
    assert "from its teacher median 0.61 px, 95 % within 1.90 px, 99 % within 4.25 px, on frames held out" in text
    assert "keypoints there 1.20% lost, 0.30% that the teacher does not find" in text
    assert "from people 2.40 px on average; its teacher 2.10 px" in text
    facts = json.loads(dlclive("info", student, "--json").out)["student"]
    assert (facts["teacher"], facts["p99_px"], facts["videos"]) == (model.name, FACTS.p99_px, list(FACTS.videos))


def test_info_counts_animals_if_there_are_several(dlclive, tmp_path, model) -> None:
    onnx = pytest.importorskip("onnx", reason="writing a student needs onnx")
    card = write_student(tmp_path / "mice.onnx").with_(individuals=("mouse1", "mouse2"), multi_animal=True)
    file = onnx.load(str(tmp_path / "mice.onnx"))
    next(item for item in file.metadata_props if item.key == "dlclive.card").value = card.to_json()
    onnx.save(file, str(tmp_path / "mice.onnx"))
    text = " ".join(dlclive("info", tmp_path / "mice.onnx").out.split())
    assert "animals there 1.20% lost, 0.30% that the teacher does not find" in text


def test_info_of_another_model_says_nothing_of_students(dlclive, model) -> None:
    done = dlclive("info", model)
    assert "student" not in done.out
    assert json.loads(dlclive("info", model, "--json").out)["student"] is None


def test_analyze_counts_frames_unlike_the_training(dlclive, student, frames, tmp_path) -> None:
    done = dlclive("analyze", student, frames, "--out", "out")
    assert done.code == 0, done.err
    assert (
        "frames: 2 of 6 frames are unlike what the student was trained on; --fallback TEACHER answers such frames by its "
        "teacher"
    ) in done.out
    report = json.loads((tmp_path / "out" / "run.json").read_text())["videos"][0]["report"]
    assert (report["unlike"], report["model_statistics"]) == (2, {})
    assert [event["text"] for event in report["events"] if event["kind"] == "unlike"] == [
        "frame 2 is unlike what the student was trained on: 1.5, where 1 is the limit"
    ]
    (times,) = (tmp_path / "out").glob("*_timestamps.csv")
    with times.open(newline="") as file:
        assert [float(row["unlike"]) for row in csv.DictReader(file)] == [0.5, 0.5, 1.5, 0.5, 1.5, 0.5]


def test_the_teacher_answers_what_is_unlike_the_training(dlclive, student, model, frames, tmp_path) -> None:
    done = dlclive("analyze", student, frames, "--fallback", model, "--out", "out", "--batch", 4)
    assert done.code == 0, done.err
    assert done.err.count("\n") == 1, "a warning, though it is the student's teacher"
    assert "2 of 6 frames are unlike what the student was trained on; the fallback answered 2 frames" in done.out
    assert re.search(r"frames: model: student frames 4, teacher frames 2, student p50 ms [\d.]+, ", done.out)
    values = json.loads((tmp_path / "out" / "run.json").read_text())
    statistics = values["videos"][0]["report"]["model_statistics"]
    assert (statistics["student_frames"], statistics["teacher_frames"]) == (4, 2)
    assert values["model"]["fallback"] == {
        "file": str(model), "sha256": sha256(model), "limit": 1.0, "runtime": "onnx", "device": "cpu (CPUExecutionProvider)"
    }  # fmt: skip
    assert values["options"]["fallback"] == str(model)


def test_a_limit_of_ones_own(dlclive, student, model, frames) -> None:
    done = dlclive("analyze", student, frames, "--fallback", model, "--fallback-limit", 0.4, "--out", "out")
    assert "teacher frames 6" in done.out
    assert "student frames 0" in done.out


def test_run_says_that_all_frames_are_unlike_the_training(dlclive, student, frames, tmp_path) -> None:
    write_student(student, bright=10)
    done = dlclive("run", "--source", frames, "--model", student, "--out", "out")
    assert done.code == 0, done.err
    assert "all 6 frames are unlike what the student was trained on: this may be another rig" in done.out
    assert "frame 0 is unlike what the student was trained on: 5, where 1 is the limit" in done.out


def test_run_says_nothing_where_there_is_nothing_to_say(dlclive, student, frames) -> None:
    write_student(student, bright=200)
    done = dlclive("run", "--source", frames, "--model", student, "--out", "out")
    assert done.code == 0, done.err
    assert "unlike" not in done.out


def test_another_teacher_is_a_warning_and_an_event(dlclive, student, model, frames, tmp_path) -> None:
    write_student(student, bright=100, teacher_sha256="0" * 64)
    done = dlclive("run", "--source", frames, "--model", student, "--fallback", model, "--out", "out")
    assert done.code == 0, done.err
    notice = f"{model.name} answers for the student, which was trained by another file, {model.name} (SHA-256 000000000000...)"
    assert f"dlclive: {notice}" in done.err
    values = json.loads((tmp_path / "out" / "run.json").read_text())
    (event,) = [event["text"] for event in values["report"]["events"] if event["kind"] == "model"]
    assert event.startswith(notice)
    assert values["options"]["fallback"] == str(model)


@pytest.mark.parametrize(
    ("model_name", "arguments", "code", "message"),
    [
        ("mouse.onnx", ("--fallback", "student.onnx"), 2, "mouse.onnx is not a student"),
        (
            "student.onnx",
            ("--fallback", "none.onnx"),
            3,
            "the fallback, the student's teacher: no such file or folder: none.onnx",
        ),
        (
            "student.onnx",
            ("--fallback", "others.onnx"),
            2,
            "others.onnx cannot answer for this student: its individuals are",
        ),
        ("student.onnx", ("--fallback-limit", "2"), 2, "fallback_limit is 2.0, and there is no fallback"),
        ("student.onnx", ("--fallback", "mouse.onnx", "--fallback-limit", "0"), 2, "--fallback-limit"),
        (
            "student.onnx",
            ("--runtime-option", "fallback=x.onnx"),
            2,
            "'fallback' is not a runtime option: use --fallback",
        ),
    ],
)
def test_a_fallback_that_cannot_be_is_one_line(
    dlclive, student, model, frames, tmp_path, model_name, arguments, code, message
) -> None:
    import onnx

    (tmp_path / "mouse.onnx").write_bytes(model.read_bytes())
    others = onnx.load(model)
    entry = next(item for item in others.metadata_props if item.key == "dlclive.card")
    entry.value = entry.value.replace('"individual_1"', '"ann"')
    onnx.save(others, str(tmp_path / "others.onnx"))
    for command in (("run", "--source", frames, "--model", model_name), ("analyze", model_name, frames)):
        done = dlclive(*command, *arguments, "--out", "out")
        assert done.code == code, done.err
        assert message in done.err.replace("\n", " ")
        assert "Traceback" not in done.err
        assert not (tmp_path / "out").exists()


def test_a_session_file_has_a_fallback(dlclive, student, model, frames, tmp_path) -> None:
    file = tmp_path / "rig.yaml"
    text = "source: SOURCE\nmodel:\n  path: student.onnx\n  fallback: TEACHER\n  fallback_limit: 1.2\nout: out\n"
    file.write_text(text.replace("TEACHER", str(model)).replace("SOURCE", str(frames)))
    done = dlclive("check", file)
    assert done.code == 0, done.err
    assert re.search(r"fallback +\S+ +answers frames beyond 1\.2", done.out)
    values = json.loads(dlclive("check", file, "--json").out)
    assert (values["fallback"], values["sessions"][0]["fallback_limit"]) == (str(model), 1.2)
    done = dlclive("run", file)
    assert done.code == 0, done.err
    assert "teacher frames 2" in done.out
    done = dlclive("run", file, "--fallback-limit", 0.1, "--out", "other")
    assert "teacher frames 6" in done.out


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("fallback: none.onnx", "rig.yaml:3: the fallback, the student's teacher: no such file or folder: none.onnx"),
        ("fallback_limit: 2", "rig.yaml:3: fallback_limit is 2.0, and there is no fallback"),
        ("fallback_limit: high", "rig.yaml:4: "),
        ("falback: mouse.onnx", "rig.yaml:4: .*did you mean 'fallback'"),
    ],
)
def test_check_names_the_line_of_a_fallback(dlclive, student, tmp_path, lines, message) -> None:
    (tmp_path / "rig.yaml").write_text(f"source: mouse\nmodel:\n  path: student.onnx\n  {lines}\n")
    done = dlclive("check", "rig.yaml")
    assert done.code in (2, 3)
    assert re.search(message, done.error)


def test_a_run_with_a_fallback_is_replayed_and_its_video_with_both_models(
    dlclive, student, model, frames, tmp_path
) -> None:
    pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
    done = dlclive(
        "run", "--source", frames, "--model", student, "--fallback", model, "--out", "out", "--processor", "one-euro"
    )
    assert done.code == 0, done.err
    replayed = dlclive("replay", "out")
    assert replayed.code == 0, replayed.err
    again = dlclive("replay", "out", "--video", frames)
    assert again.code == 0, again.err
    values = json.loads((tmp_path / "out" / "run.json").read_text())
    values["model"]["fallback"]["file"] = str(tmp_path / "gone.onnx")
    (tmp_path / "out" / "run.json").write_text(json.dumps(values))
    gone = dlclive("replay", "out", "--video", frames)
    assert gone.code == 2
    assert "gone.onnx is not there; pass --model to do without" in gone.error
