"""`--sink outliers` and `dlclive outliers`: what today's rig saw reaches a DeepLabCut project."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.live_runs import PATIENCE, record, wait_for

pytest.importorskip("dlclive_io", reason="frames are kept by dlclive-io")

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
PARITY = ROOT / ".nox" / "parity" / "bin" / "python"
SCRIPT = ROOT / "tests" / "readers" / "labelling_project.py"
MOUSE = ["snout", "leftear", "rightear", "centre", "tailbase"]

deeplabcut = pytest.mark.skipif(not PARITY.exists(), reason="needs deeplabcut 3.0.2, which `nox -s parity` installs")


def make_project(folder: Path, keypoints: list[str]) -> Path:
    (folder / "labeled-data").mkdir(parents=True)
    values = {"scorer": "Ada", "multianimalproject": False, "bodyparts": keypoints, "iteration": 0, "video_sets": {}}
    (folder / "config.yaml").write_text(yaml.safe_dump(values))
    return folder


def test_from_a_run_into_a_project(dlclive, model, tmp_path) -> None:
    done = dlclive(
        "run", "--source", "mouse:seed=3", "--model", model, "--out", "live", "--max-frames", 60,
        "--sink", "outliers:outliers,min_confidence=1,min_distance=0.2,max_frames=5",
    )  # fmt: skip
    assert done.code == 0, done.err
    (sink,) = record(tmp_path / "live")["report"]["sinks"]
    kept = int(sink["statistics"]["kept"])
    assert 1 <= kept <= 5
    project = make_project(tmp_path / "project", MOUSE)
    dry = dlclive("outliers", "live", "--project", "project", "--dry-run")
    assert (dry.code, dry.out.count("would be added")) == (0, kept)
    assert "nothing was written" in dry.err
    assert list((project / "labeled-data").iterdir()) == []
    done = dlclive("outliers", "live", "--project", "project", "--video", "day1", "--add-video", "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["counts"] == {"added": kept}
    assert len(list((project / "labeled-data" / "day1").glob("img*.png"))) == kept
    assert [Path(video).stem for video in yaml.safe_load((project / "config.yaml").read_text())["video_sets"]] == [
        "day1"
    ]
    again = dlclive("outliers", "live/outliers", "--project", "project/config.yaml", "--video", "day1")
    assert f"{kept} present" in again.err
    other = dlclive("outliers", "live", "--project", "project", "--video", "day2", "--add-video")
    assert other.code == 0, other.err
    assert f"already in the project: {kept} in labeled-data/day1; nothing is left to add" in other.err
    assert [path.name for path in (project / "labeled-data").iterdir()] == ["day1"]


def test_an_analysis_keeps_its_frames_in_its_own_folder_and_says_how_many(dlclive, model, clip, tmp_path) -> None:
    sink = "outliers:outliers,min_confidence=1,min_distance=0.2,max_frames=5"
    done = dlclive("analyze", model, clip, "--out", "a", "--sink", sink)
    assert done.code == 0, done.err
    assert not (tmp_path / "outliers").exists()
    kept = len(list((tmp_path / "a" / "outliers").glob("*.png")))
    assert 1 <= kept <= 5
    assert f"{Path('a', 'outliers', 'outliers.csv')}: kept {kept}, " in done.out
    make_project(tmp_path / "project", MOUSE)
    done = dlclive("outliers", "a", "--project", "project", "--dry-run")
    assert done.code == 0, done.err
    assert f"{kept} would be added" in done.err


def test_a_damaged_frame_is_told_with_its_file_and_fault(dlclive, model, tmp_path) -> None:
    done = dlclive(
        "run", "--source", "mouse:seed=3", "--model", model, "--out", "live", "--max-frames", 60,
        "--sink", "outliers:outliers,min_confidence=1,min_distance=0.2,max_frames=5",
    )  # fmt: skip
    assert done.code == 0, done.err
    first, second = sorted((tmp_path / "live" / "outliers").glob("img*.json"))[:2]
    first.with_suffix(".png").write_bytes(first.with_suffix(".png").read_bytes()[:200])
    second.write_text("{")
    make_project(tmp_path / "project", MOUSE)
    done = dlclive("outliers", "live", "--project", "project")
    assert done.code == 5
    assert "nan" not in done.out
    assert f"frame {int(first.stem[3:])} is damaged: {first.stem}.png is not a whole picture\n" in done.err
    assert f"frame {int(second.stem[3:])} is damaged: {second.name} is not JSON\n" in done.err
    assert "WARN" not in done.err
    assert json.loads(dlclive("outliers", "live", "--project", "project", "--json").out)["frames"][0]["fault"]


def test_several_sources_have_a_folder_each(dlclive, model, tmp_path) -> None:
    done = dlclive(
        "run", "--source", "left=mouse:seed=3", "--source", "right=mouse:seed=4", "--model", model, "--out", "live",
        "--max-frames", 20, "--sink", "outliers:outliers,min_confidence=1",
    )  # fmt: skip
    assert done.code == 0, done.err
    make_project(tmp_path / "project", MOUSE)
    assert (tmp_path / "live" / "outliers_left" / "outliers.csv").exists()
    assert (
        "give one of live/outliers_left, live/outliers_right"
        in dlclive("outliers", "live", "--project", "project").error
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("no", "--project", "project"), 2, "no folder no"),
        ((".", "--project", "project"), 2, "holds no kept frames"),
        ((".", "--project", "no"), 2, "no project no"),
        ((".", "--project", "empty"), 2, "is not a project of deeplabcut"),
        ((".", "--project", "broken"), 3, "is not the configuration of a DeepLabCut project"),
    ],
)
def test_wrong_folders_are_one_line(dlclive, tmp_path, arguments, code, message) -> None:
    make_project(tmp_path / "project", MOUSE)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.yaml").write_text("a: 1\n")
    if message.startswith("is not the"):
        (tmp_path / "kept").mkdir()
        card = {"card_version": 3, "net_type": "test", "skeleton": {"keypoints": MOUSE, "edges": []}}
        header = {"format": "dlclive outliers", "version": 1, "card": card}
        (tmp_path / "kept" / "outliers.json").write_text(json.dumps(header))
        arguments = ("kept", *arguments[1:])
    done = dlclive("outliers", *arguments)
    assert (done.code, message in done.error) == (code, True), done.err


@POSIX
def test_a_killed_run_gives_its_frames(dlclive, start, model, tmp_path) -> None:
    process = start(
        "run", "--source", "mouse:seed=3", "--model", model, "--out", "live",
        "--sink", "outliers:outliers,min_confidence=1,min_distance=0.1",
    )  # fmt: skip
    wait_for(tmp_path / "live" / "outliers", process)
    until = time.monotonic() + PATIENCE
    while len(list((tmp_path / "live" / "outliers").glob("img*.json"))) < 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    make_project(tmp_path / "project", MOUSE)
    done = dlclive("outliers", "live", "--project", "project", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["counts"]["added"] >= 2
    recovered = json.loads(dlclive("recover", "live", "--json").out)
    assert [file["kind"] for file in recovered["files"] if file["kind"] == "outliers"] == ["outliers"]
    assert (tmp_path / "live" / "outliers" / "outliers.csv").exists()


def _reference(*arguments: object) -> dict:
    done = subprocess.run(
        [str(PARITY), str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


@pytest.mark.slow
@deeplabcut
@pytest.mark.skipif(not (SHARED / "openfield").is_dir(), reason="the open field video is not here")
def test_deeplabcut_trains_on_the_frames_of_a_real_video(dlclive, tmp_path) -> None:
    """DeepLabCut 3.0.2 makes the project, merges the labels and makes the training data."""
    pytest.importorskip("dlclive_torch", reason="the trained model needs dlclive-torch")
    video = SHARED / "openfield" / "m3v1mp4.mp4"
    done = dlclive(
        "analyze", SHARED / "models" / "openfield_cspnext_s.pt", video, "--max-frames", 40,
        "--runtime-option", "threads=2", "--sink", "outliers:outliers,min_confidence=0.9,min_distance=0.3",
    )  # fmt: skip
    assert done.code == 0, done.err
    names = {"bodyparts": ["snout", "leftear", "rightear", "tailbase"], "individuals": None, "unique": []}
    config = _reference("create", tmp_path, video, json.dumps(names))["config"]
    done = dlclive("outliers", "outliers", "--project", config, "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["counts"]["added"] >= 3
    assert report["notices"] == []  # the project lists the video
    found = _reference("refine", config, "m3v1mp4")
    rows = [["labeled-data", "m3v1mp4", frame["image"]] for frame in report["frames"]]
    assert found["machine_rows"] == found["training_rows"] == rows
    assert found["iteration"] == 1
    assert {column[-1] for column in found["training_columns"]} == {"x", "y"}
    kept = [json.loads((tmp_path / "outliers" / f"img{f['frame']:08d}.json").read_text()) for f in report["frames"]]
    expected = [np.array(frame["keypoints"], float)[0, :, :2].reshape(-1).tolist() for frame in kept]
    np.testing.assert_allclose(np.array(found["positions"], float), expected, rtol=0, atol=1e-6)
    assert any(name.endswith("shuffle1.mat") or name.startswith("Documentation") for name in found["documents"])


@pytest.mark.slow
@deeplabcut
def test_deeplabcut_trains_on_the_frames_of_several_animals(dlclive, tmp_path) -> None:
    """A multi-animal project with unique keypoints; grey pictures of a video that it does not list until we add it."""
    import cv2
    from dlclive_io import OutlierFrames

    from dlclive_core import Estimate, Frame, ModelCard, Pose, Skeleton
    from dlclive_core.testing import run_info

    film = tmp_path / "first.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
    for number in range(5):
        writer.write(np.full((48, 64, 3), number, np.uint8))
    writer.release()
    names = {"bodyparts": ["snout", "tail"], "individuals": ["a", "b"], "unique": ["lever"]}
    config = Path(_reference("create", tmp_path, film, json.dumps(names))["config"])
    card = ModelCard(
        net_type="dlcrnet", skeleton=Skeleton(("snout", "tail")), individuals=("a", "b"), multi_animal=True,
        unique_keypoints=("lever",), scorer="DLC_test",
    )  # fmt: skip
    random = np.random.default_rng(2)
    with OutlierFrames(tmp_path / "outliers") as sink:
        sink.open(run_info(card, is_live=True))
        for number in range(6):
            keypoints = random.uniform(1, 40, (2, 2, 3)).astype(np.float32)
            keypoints[..., 2] = 0.3
            pose = Pose(keypoints, card.skeleton, unique=np.array([[5, 6, 0.9]], np.float32))
            began = run_info(card).started_clock
            frame = Frame(random.integers(0, 255, (48, 64), np.uint8), number, began + 2 * number)
            sink.write(Estimate(frame, pose, 0.0, 0.0, 0.0))
        sink.finish()
    done = dlclive("outliers", "outliers", "--project", config, "--video", "today", "--add-video", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["counts"] == {"added": 6}
    found = _reference("refine", config, "today")
    assert found["machine_levels"] == ["scorer", "individuals", "bodyparts", "coords"]
    assert len(found["training_rows"]) == 6
    assert {tuple(column[1:3]) for column in found["training_columns"]} == {
        ("a", "snout"), ("a", "tail"), ("b", "snout"), ("b", "tail"), ("single", "lever"),
    }  # fmt: skip
    assert found["videos"] == ["today", "first"]
