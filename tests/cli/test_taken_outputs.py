"""Two results never share a file, and a model's names can neither leave the folder nor control the terminal."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from dlclive_core.cli.record import record_path, write_record
from dlclive_core.cli.shared_files import Writers

SCORER = "DLC_DlcliveMouse_demo"
PROCESSES = 8


def _record(folder: str, barrier: Any, number: int) -> None:
    barrier.wait()
    write_record(record_path(Path(folder), overwrite=False), {"run": number})


def test_eight_runs_that_end_at_once_each_have_a_record(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    runs = [context.Process(target=_record, args=(str(tmp_path), barrier, number)) for number in range(PROCESSES)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    names = {"run.json", *(f"run-{number}.json" for number in range(2, PROCESSES + 1))}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert sorted(json.loads((tmp_path / name).read_text())["run"] for name in names) == list(range(PROCESSES))


def test_a_record_gets_the_first_number_that_is_free_for_all_its_files(tmp_path: Path) -> None:
    def picture(path: Path) -> list[Path]:
        return [path.with_name(path.stem.replace("run", "latency") + ".svg")]

    (tmp_path / "run.json").write_text("earlier")
    (tmp_path / "latency-2.svg").write_text("another's")
    (tmp_path / "run-3.json").symlink_to(tmp_path / "nowhere")
    assert record_path(tmp_path, overwrite=False, companions=picture) == tmp_path / "run-4.json"
    assert record_path(tmp_path, overwrite=True, companions=picture) == tmp_path / "run.json"
    assert (tmp_path / "run.json").read_text() == "earlier"


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_videos_of_the_same_name_are_refused_before_work_begins(dlclive, model, clip, tmp_path, overwrite) -> None:
    for name in ("monday/cam.mp4", "tuesday/cam.avi"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(clip, tmp_path / name)
    done = dlclive("analyze", model, "monday/cam.mp4", "tuesday/cam.avi", "--out", "out", *overwrite)
    assert done.code == 2
    assert (
        f"monday/cam.mp4 and tuesday/cam.avi would both write out/cam{SCORER}.h5: analyze them one by one" in done.error
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("clip.mp4",), "would be written twice for clip.mp4"),
        (("clip/clip.mp4",), "would both write"),
        (("b.mp4", "--sink", "timestamps:t.csv"), "clip.mp4 and b.mp4 would both write t.csv"),
        (("b.mp4", "--sink", "tables:./x/../t.h5"), "clip.mp4 and b.mp4 would both write"),
        (("--sink", "tables:t.csv", "--sink", "timestamps:t.csv"), "t.csv would be written twice for clip.mp4"),
        (("--sink", "video:clip.mp4"), "clip.mp4 is one of the videos"),
    ],
)
def test_outputs_that_would_share_a_file_are_refused(dlclive, model, clip, tmp_path, words, message) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for target in ("clip.mp4", "b.mp4", "clip/clip.mp4"):
        shutil.copy(clip, tmp_path / target)
    (tmp_path / "x").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.mp4")}
    done = dlclive("analyze", model, "clip.mp4", *words, "--overwrite")
    assert done.code == 2
    assert message in done.error
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_events_of_two_videos_do_not_share_a_file(dlclive, model, clip, tmp_path) -> None:
    pytest.importorskip("dlclive_processors")
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(clip, tmp_path / name)
    region = "region:polygon=[[0,0],[320,0],[320,240]],keypoint=snout,events=e.csv,overwrite=true"
    done = dlclive("analyze", model, "a.mp4", "b.mp4", "--processor", region)
    assert (done.code, "a.mp4 and b.mp4 would both write e.csv" in done.error) == (2, True)


def test_names_that_differ_only_in_case_collide_on_file_systems_that_ignore_case(tmp_path: Path, monkeypatch) -> None:
    for ignores in (True, False):
        monkeypatch.setattr("dlclive_core.cli.shared_files.ignores_case", lambda _, ignores=ignores: ignores)
        writers: Writers[str] = Writers()
        assert writers.add(tmp_path / "X.csv", "first") is None
        assert writers.add(tmp_path / "x.csv", "second") == ("first" if ignores else None)
        assert writers.add(tmp_path / "sub" / ".." / "X.csv", "third") == "first"


def _with_card(model: Path, target: Path, **changes: Any) -> Path:
    onnx = pytest.importorskip("onnx")
    proto = onnx.load(model)
    for entry in proto.metadata_props:
        if entry.key == "dlclive.card":
            card = json.loads(entry.value)
            card["skeleton"]["keypoints"][0] = changes.pop("keypoint", card["skeleton"]["keypoints"][0])
            entry.value = json.dumps({**card, **changes})
    onnx.save(proto, target)
    return target


@pytest.mark.parametrize(
    ("scorer", "part"),
    [
        ("/../../outside_", "_.._.._outside_"),
        ("../outside", ".._outside"),
        ('a:b?*"<>|\\', "a_b_______"),
        ("dots. .", "dots___"),
        ("", ""),
    ],
)
def test_a_scorer_cannot_leave_the_folder(dlclive, model, clip, tmp_path, scorer, part) -> None:
    pandas = pytest.importorskip("pandas")
    lab = tmp_path / "lab" / "day"
    (lab / f"clip{os.sep}x").mkdir(parents=True)  # a folder with the video's name, so that ".." could lead out
    _with_card(model, tmp_path / "m.onnx", scorer=scorer)
    done = dlclive("analyze", "m.onnx", clip, "--out", "lab/day/out", "--max-frames", "2")
    assert done.code == 0, done.err
    assert {path.name for path in (lab / "out").iterdir()} == {
        f"clip{part}.h5",
        f"clip{part}.csv",
        f"clip{part}_timestamps.csv",
        "run.json",
    }
    assert {path.name for path in tmp_path.iterdir()} == {"lab", "m.onnx"}
    assert "\x1b" not in done.err + done.out
    table = pandas.read_hdf(lab / "out" / f"clip{part}.h5")
    assert set(table.columns.get_level_values("scorer")) == {scorer}


def test_a_very_long_scorer_is_cut(dlclive, model, clip, tmp_path) -> None:
    _with_card(model, tmp_path / "m.onnx", scorer="x" * 3000)
    done = dlclive("analyze", "m.onnx", clip, "--out", "out", "--max-frames", "2", "--save-video")
    assert done.code == 0, done.err
    assert len(list((tmp_path / "out").glob("clipxxx*"))) == 4


@pytest.mark.parametrize("name", ["scorer", "keypoint", "individuals"])
def test_names_cannot_control_the_terminal(dlclive, model, tmp_path, name) -> None:
    evil = "\x1b]0;owned\x07\r\x9b2J\u202e"
    _with_card(model, tmp_path / "m.onnx", **{name: [evil] if name == "individuals" else evil})
    done = dlclive("info", "m.onnx")
    assert done.code == 3
    assert r"contains a control character: '\x1b]0;owned\x07\r\x9b2J\u202e'" in done.error
    assert not set(evil) & set("\x1b\x07\r\x9b\u202e") & set(done.out + done.err)
