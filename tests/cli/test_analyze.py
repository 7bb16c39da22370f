"""`dlclive analyze`: outputs and error messages."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dlclive_core.demo.source import MouseSource

SCORER = "DLC_DlcliveMouse_demo"


def path_with(site: str) -> str:
    """PYTHONPATH with a folder of plugins in front."""
    return os.pathsep.join(filter(None, [site, os.environ.get("PYTHONPATH", "")]))


def table(folder: Path, video: str = "clip"):
    return pytest.importorskip("pandas").read_hdf(folder / f"{video}{SCORER}.h5")


def test_analyze_writes_deeplabcut_tables(dlclive, model, clip, tmp_path) -> None:
    done = dlclive("analyze", model, clip, "--out", "out", "--json", "--save-video")
    assert done.code == 0, done.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    stem = f"clip{SCORER}"
    assert names == {f"{stem}.h5", f"{stem}.csv", f"{stem}_timestamps.csv", f"{stem}_labeled.mp4", "run.json"}
    poses = table(tmp_path / "out")
    assert len(poses) == 40
    assert list(poses.columns.names) == ["scorer", "bodyparts", "coords"]
    source = MouseSource(seed=11, frames=40)
    truth = np.stack([source.truth(index) for index in range(40)])
    error = np.linalg.norm(poses.to_numpy().reshape(40, -1, 3)[..., :2] - truth[..., :2], axis=-1)
    assert np.median(error[truth[..., 2] > 0]) < 2
    record = json.loads(done.out)
    assert record == json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["videos"][0]["report"]["processed"] == 40
    assert len(record["model"]["sha256"]) == 64
    assert record["system"]["packages"]["dlclive-core"]
    assert {stage["stage"] for stage in record["videos"][0]["report"]["stages"]} >= {"capture", "inference", "latency"}


def test_region_options_and_the_frame_limit_apply(dlclive, model, clip, tmp_path) -> None:
    assert dlclive("analyze", model, clip, "--out", "whole", "--max-frames", 10).code == 0
    done = dlclive(
        "analyze", model, clip, "--out", "out", "--max-frames", 10,
        "--cropping", "0,320,0,240", "--dynamic", "0.3,60", "--resize", "0.8",
    )  # fmt: skip
    assert done.code == 0, done.err
    whole, cut = table(tmp_path / "whole").to_numpy(), table(tmp_path / "out").to_numpy()
    assert whole.shape == cut.shape == (10, 15)
    assert np.median(np.abs(whole - cut)) < 2


def test_frames_in_batches_give_the_same_poses(dlclive, model, clip, tmp_path) -> None:
    assert dlclive("analyze", model, clip, "--out", "alone", "--batch", 1).code == 0
    done = dlclive("analyze", model, clip, "--out", "out", "--batch", 16, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["videos"][0]["report"]["batch"] == 16
    alone, together = table(tmp_path / "alone").to_numpy(), table(tmp_path / "out").to_numpy()
    assert np.nanmax(np.abs(alone - together)) < 0.01


def test_the_record_names_the_file_loaded_by_a_third_party_runtime(dlclive, clip, lab, tmp_path) -> None:
    """The record must not name the other model, which is in a subfolder."""
    (tmp_path / "models" / "sub").mkdir(parents=True)
    (tmp_path / "models" / "m.quick").write_bytes(b"quick")
    (tmp_path / "models" / "sub" / "other.onnx").write_bytes(b"other")
    done = dlclive("analyze", "models", clip, "--out", "out", "--max-frames", 3, PYTHONPATH=path_with(lab))
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert Path(record["model"]["file"]).name == "m.quick"
    assert record["model"]["sha256"] == hashlib.sha256(b"quick").hexdigest()


def test_a_folder_with_only_an_openvino_model_is_accepted(dlclive, model, clip, tmp_path) -> None:
    pytest.importorskip("dlclive_openvino", reason="needs dlclive-openvino")
    pytest.importorskip("openvino")
    (tmp_path / "m").mkdir()
    assert dlclive("export", model, "m/m.xml").code == 0
    done = dlclive("analyze", "m", clip, "--out", "out", "--max-frames", 3)
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert Path(record["model"]["file"]).name == "m.xml"
    assert record["model"]["sha256"] == hashlib.sha256((tmp_path / "m" / "m.xml").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--batch", "many"), "--batch takes auto or a number of frames from 1 up; got 'many'"),
        (("--batch", "4", "--dynamic", "0.3,60"), "needs the pose of the previous frame: use batch=1, not 4"),
    ],
)
def test_invalid_batch_sizes_are_refused(dlclive, model, clip, options, line) -> None:
    done = dlclive("analyze", model, clip, "--out", "out", *options)
    assert done.code == 2
    assert line in done.err


def test_processors_are_specified_on_the_command_line(dlclive, model, clip, tmp_path) -> None:
    pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
    region = "region:polygon=[[0,0],[320,0],[320,240],[0,240]],keypoint=centre,events=events.csv,min_confidence=0.2"
    done = dlclive("analyze", model, clip, "--out", "out", "--processor", region, "--processor", "kalman:horizon=0.01")
    assert done.code == 0, done.err
    assert "enter" in (tmp_path / "out" / "events.csv").read_text()


def test_a_folder_of_images_is_analysed_like_a_video(dlclive, model, tmp_path) -> None:
    cv2 = pytest.importorskip("cv2")
    folder = tmp_path / "images"
    folder.mkdir()
    source = MouseSource(seed=11, frames=3)
    for index in range(3):
        cv2.imwrite(str(folder / f"img{index}.png"), source.render(index)[:, :, ::-1])
    assert dlclive("analyze", model, folder, "--out", "out").code == 0
    assert len(table(tmp_path / "out", "images")) == 3


def test_a_folder_of_videos_is_not_one_of_pictures(dlclive, model, clip, tmp_path) -> None:
    cv2 = pytest.importorskip("cv2")
    folder = tmp_path / "vids"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4", "c.AVI", "._a.mp4"):
        shutil.copy(clip, folder / name)
    done = dlclive("analyze", model, "vids", "--out", "out")
    assert done.code == 2
    both = f"{Path('vids', '*.AVI')} {Path('vids', '*.mp4')}"
    assert done.error == f"error: vids is a folder with 3 videos; give them as {both}"
    cv2.imwrite(str(folder / "still.png"), MouseSource(seed=11, frames=1).render(0)[:, :, ::-1])
    more = "; for its pictures alone, pass --source-option pattern=*.png"
    refused = dlclive("analyze", model, "vids", clip, "--out", "out")
    assert (refused.code, more in refused.err) == (2, True), refused.err
    assert len(table(tmp_path / "out")) == 40, "the other video is analysed"
    assert dlclive("analyze", model, "vids", "--source-option", "pattern=*.png", "--out", "still").code == 0
    assert len(table(tmp_path / "still", "vids")) == 1


def test_existing_outputs_are_kept_without_overwrite(dlclive, model, clip, tmp_path) -> None:
    assert dlclive("analyze", model, clip, "--out", "out", "--max-frames", 3).code == 0
    again = dlclive("analyze", model, clip, "--out", "out", "--max-frames", 5)
    assert again.code == 2
    assert "--overwrite" in again.error
    assert len(table(tmp_path / "out")) == 3
    assert dlclive("analyze", model, clip, "--out", "out", "--max-frames", 5, "--overwrite").code == 0
    assert len(table(tmp_path / "out")) == 5


def test_one_bad_video_does_not_stop_the_others(dlclive, model, clip, tmp_path) -> None:
    (tmp_path / "empty.mp4").touch()
    done = dlclive("analyze", model, "empty.mp4", clip, "gone.mp4", "--out", "out", "--max-frames", 3)
    assert done.code == 5  # the first failure's
    assert done.err.count("error: ") == 2
    assert len(table(tmp_path / "out")) == 3


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("gone.mp4", None, 4, "no such file or folder: gone.mp4"),
        ("empty.mp4", b"", 5, "empty.mp4"),
        ("text.mp4", b"this is not a video\n" * 50, 5, "text.mp4"),
        ("notes.txt", b"hello", 5, "not among"),
    ],
)
def test_invalid_videos_are_reported_in_one_line(dlclive, model, tmp_path, name, content, code, message) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = dlclive("analyze", model, name, "--out", "out")
    assert done.code == code, done.err
    assert message in done.error
    assert not list((tmp_path / "out").glob("*.h5"))


def test_a_truncated_video_is_reported_in_one_line(dlclive, model, clip, tmp_path) -> None:
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    done = dlclive("analyze", model, "cut.mp4", "--out", "out")
    assert done.code == 5, done.err
    assert "cut.mp4" in done.error


def test_a_damaged_video_gives_complete_tables_and_exit_code_5(dlclive, model, clip, tmp_path) -> None:
    data = bytearray(clip.read_bytes())
    middle = len(data) // 2
    for index in range(middle, middle + 600):
        data[index] ^= 0xFF
    (tmp_path / "clip.mp4").write_bytes(data)
    done = dlclive("analyze", model, "clip.mp4", "--out", "out")
    assert done.code == 5, done.err
    assert "damaged" in done.error
    assert len(table(tmp_path / "out")) <= 40


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cropping", "0,10"), "--cropping takes x1,x2,y1,y2"),
        (("--cropping", "0,900,0,100"), "outside the frame of 320 x 240"),
        (("--dynamic", "0.5"), "--dynamic takes threshold,margin"),
        (("--resize", "0"), "factor above 0"),
        (("--processor", "kalmann"), "did you mean"),
        (("--sink", "tables:"), "tables"),
        (("--sink", "memory:x=1"), "no option 'x'"),
    ],
)
def test_invalid_options_are_reported_in_one_line(dlclive, model, clip, options, message) -> None:
    if options[0] == "--processor":
        pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
        options, message = ("--processor", "kalmann"), "did you mean 'kalman'"
    done = dlclive("analyze", model, clip, "--out", "out", *options)
    assert done.code in (2, 3), done.err
    assert message in done.error


def test_an_unknown_option_suggests_the_nearest(dlclive) -> None:
    done = dlclive("analyze", "m", "v", "--outt", "x")
    assert done.code == 2
    assert "--out" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.pt", "no such file or folder: gone.pt"),
        ("notes.txt", "not a model file"),
        ("folder", "no model in folder"),
    ],
)
def test_invalid_models_are_reported_in_one_line(dlclive, clip, tmp_path, name, message) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").touch()
    done = dlclive("analyze", name, clip, "--out", "out")
    assert done.code == 3
    assert message in done.error
    assert not (tmp_path / "out").exists()


def test_several_models_in_a_folder_are_listed(dlclive, clip, tmp_path) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "a.onnx").touch()
    (tmp_path / "two" / "b.onnx").touch()
    done = dlclive("analyze", "two", clip)
    assert done.code == 3
    assert "a.onnx, b.onnx" in done.error


def test_an_output_folder_that_cannot_be_created_exits_with_5(dlclive, model, clip, tmp_path) -> None:
    (tmp_path / "file").touch()
    done = dlclive("analyze", model, clip, "--out", "file/out")
    assert done.code == 5
    assert "cannot create the folder" in done.error


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_a_full_disk_is_reported_in_one_line_with_exit_code_5(model, clip, tmp_path) -> None:
    """RLIMIT_FSIZE makes writes beyond 4 KB fail with EFBIG, much as a full disk fails with ENOSPC."""
    code = (
        "import resource, runpy, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); sys.argv = ['dlclive', *sys.argv[1:]];"
        "runpy.run_module('dlclive_core', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, "analyze", str(model), str(clip), "--out", "out"],
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_analysis_and_keeps_partial_results(model, tmp_path, number, code) -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    av = pytest.importorskip("av")
    path = tmp_path / "long.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        frame = av.VideoFrame.from_ndarray(MouseSource(seed=1, frames=1).render(0))
        for index in range(6000):
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    process = subprocess.Popen(
        [sys.executable, "-m", "dlclive_core", "analyze", str(model), str(path), "--out", "out"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    part = tmp_path / "out" / f"long{SCORER}.csv.part"
    until = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 2000):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code, (out, err)
    assert "Traceback" not in err
    assert "stopped after" in err
    assert "; dlclive recover out finishes them" in err
    pandas = pytest.importorskip("pandas")
    rows = pandas.read_csv(part, header=[0, 1, 2], index_col=0)
    assert 0 < len(rows) < 6000
    tables = pandas.read_hdf(tmp_path / "out" / f"long{SCORER}.h5.part")
    assert len(tables) == len(rows)
    assert json.loads((tmp_path / "out" / "run.json").read_text())["videos"][0]["result"] == "stopped"


def test_an_option_of_the_source_reaches_it(dlclive, model, clip, tmp_path) -> None:
    done = dlclive("analyze", model, clip, "--out", "true", "--max-frames", 5)
    assert done.code == 0, done.err
    done = dlclive("analyze", model, clip, "--out", "opencv", "--max-frames", 5, "--source-option", "colours=opencv")
    assert done.code == 0, done.err
    options = json.loads((tmp_path / "opencv" / "run.json").read_text())["options"]
    assert options["source_options"] == ["colours=opencv"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("colour=opencv", "source 'video' has no option 'colour': did you mean 'colours'?"),
        ("colours=grey", "source 'video'"),
        (
            "colours",
            "--source-option takes an option of a source, NAME=VALUE, for example colours=opencv; got 'colours'",
        ),
    ],
)
def test_an_option_that_the_source_lacks_is_refused(dlclive, model, clip, tmp_path, option, message) -> None:
    done = dlclive("analyze", model, clip, "--out", "out", "--source-option", option)
    assert done.code == 2, done.err
    assert message in done.error
    assert not (tmp_path / "out").exists()
