"""`benchmark`, `benchmark_videos` and their files."""

from __future__ import annotations

import json
import pickle
import pickletools
from pathlib import Path

import cv2
import numpy as np
import pytest
from dlclive import DLCLive
from dlclive.benchmark import benchmark, benchmark_videos, get_system_info, main, save_inf_times, save_poses_to_files
from numpy.typing import NDArray

from dlclive_core import (
    DataError,
    DLCLiveError,
    ModelNotFoundError,
    OutputExistsError,
    SourceError,
    UsageError,
)

FRAMES = 12
SIZE = (320, 240)
OPTIONS = {"device": "cpu", "display": False}


def looped(model: Path, video: Path, **options: object) -> NDArray[np.float32]:
    """The poses of a loop over `DLCLive`, as a user writes it."""
    capture = cv2.VideoCapture(str(video))
    live = DLCLive(model, "onnx", device="cpu", **options)
    poses = []
    while (taken := capture.read())[0]:
        poses.append(live.get_pose(taken[1]) if poses else live.init_inference(taken[1]))
    capture.release()
    live.close()
    return np.stack(poses)


def table(folder: Path) -> NDArray[np.float64]:
    pandas = pytest.importorskip("pandas")
    (path,) = folder.glob("*_poses_*.h5")
    values = pandas.read_hdf(path)
    assert values.columns.names == ["bodyparts", "coords"]
    return np.asarray(values).reshape(len(values), -1, 3)


@pytest.mark.parametrize(
    "options", [{}, {"resize": 0.5}, {"cropping": [20, 300, 10, 230]}, {"dynamic": (True, 0.5, 30)}], ids=str
)
def test_the_poses_are_those_of_a_loop_over_dlclive(
    mouse_model: Path, mouse_video: Path, tmp_path: Path, options: dict[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    times, im_size, meta = benchmark(
        mouse_model, "onnx", mouse_video, save_dir=tmp_path, save_poses=True, **OPTIONS, **options
    )
    written = f"written: {next(tmp_path.glob('*.h5'))}, {next(tmp_path.glob('*.csv'))}"
    assert written in capfd.readouterr().err.splitlines()
    expected = looped(mouse_model, mouse_video, **options)
    poses = table(tmp_path)
    found = expected[..., 2] > 0
    assert poses.shape == expected.shape == (FRAMES, 5, 3)
    assert np.abs(poses - expected)[found].max() < 0.01
    assert len(times) == FRAMES
    assert min(times) > 0
    assert im_size == ((160, 120) if "resize" in options else SIZE)
    assert meta["original_frame_size"] == SIZE
    assert (meta["video_total_frames"], meta["video_fps"], meta["video_codec"]) == (FRAMES, 30, "MJPG")
    assert meta["dlclive_params"]["cfg"]["metadata"]["bodyparts"][0] == "snout"
    assert meta["dlclive_params"]["resize"] == options.get("resize")


def test_pixels_and_the_number_of_frames(mouse_model: Path, mouse_video: Path, tmp_path: Path) -> None:
    times, im_size, meta = benchmark(
        mouse_model, "base", mouse_video, pixels=160 * 120, n_frames=5, save_dir=tmp_path, **OPTIONS
    )
    assert (len(times), im_size) == (5, (160, 120))
    assert meta["dlclive_params"]["resize"] == pytest.approx(0.5)
    assert list(tmp_path.iterdir()) == []


def test_files_beside_the_video(mouse_model: Path, mouse_video: Path, tmp_path: Path) -> None:
    video = tmp_path / "film.avi"
    video.write_bytes(mouse_video.read_bytes())
    benchmark(mouse_model, "onnx", video, save_poses=True, save_video=True, draw_keypoint_names=True, **OPTIONS)
    kinds = sorted(path.name.partition("_2")[0] + path.suffix for path in tmp_path.iterdir() if path != video)
    assert kinds == ["film_DLCLIVE_LABELLED.mp4", "film_poses.csv", "film_poses.h5"]
    labelled = cv2.VideoCapture(str(next(tmp_path.glob("*LABELLED*"))))
    read = [labelled.read()[1] for _ in range(FRAMES)]
    assert read[-1].shape == (240, 320, 3)
    original = cv2.VideoCapture(str(video)).read()[1]
    assert np.abs(read[0].astype(int) - original).max() > 60  # the points are drawn


def test_a_benchmark_of_two_sizes_leaves_a_pickle_of_builtin_types(
    mouse_model: Path, mouse_video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        benchmark_videos(str(mouse_model), "onnx", [str(mouse_video)], output=tmp_path, resize=[1.0, 0.5], n_frames=4)
    paths = sorted(tmp_path.glob("benchmark_*.pickle"))
    assert [path.stem[-2:] for path in paths] == ["_0", "_1"]  # the first was not replaced
    content = paths[0].read_bytes()
    assert not {op.name for op, _, _ in pickletools.genops(content)} & {"GLOBAL", "STACK_GLOBAL", "REDUCE"}
    values = pickle.loads(content)
    assert np.shape(values["inference_times"]) == (2, 4)
    assert values["im_size"] == [(320, 240), (160, 120)]
    assert values["model"] == mouse_model.name
    means = [mean for mean, _ in values["stats"]]
    assert means == pytest.approx(np.mean(values["inference_times"], axis=1))
    assert {"host_name", "device_type", "freeze", "dlclive_version", "video_path", "dlclive_params"} <= set(values)
    assert json.loads(paths[0].with_suffix(".json").read_text())["inference_times"] == values["inference_times"]
    assert capsys.readouterr().out.count("frames/s") == 4


def test_runs_of_different_lengths_are_saved(tmp_path: Path) -> None:
    info = {"host_name": "rig", "device_type": "CPU"}
    assert save_inf_times(info, [[0.1, 0.2, 0.3], [0.5]], np.array([[4, 3], [2, 1]]), output=tmp_path / "new")
    values = pickle.loads((tmp_path / "new" / "benchmark_rig_CPU_0.pickle").read_bytes())
    assert values["inference_times"] == [[0.1, 0.2, 0.3], [0.5]]
    assert values["im_size"] == [[4, 3], [2, 1]]


def test_the_system_is_described_in_builtin_types() -> None:
    info = get_system_info()
    assert json.loads(json.dumps(info)) == info
    assert info["device_type"] in ("CPU", "GPU")
    assert info["device"][0]
    assert any(line.startswith("numpy==") for line in info["freeze"])
    assert info["dlclive_version"] == "1.1.0+dlclive"


def test_several_animals_and_missing_frames_in_a_table(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    poses = [{"frame": 0, "pose": np.ones((1, 2, 3))}, {"frame": 2, "pose": np.full((2, 2, 5), 7.0)}]
    save_poses_to_files("a/film.avi", tmp_path, 2, ["nose", "tail"], poses, "now")
    values = pandas.read_hdf(tmp_path / "film_poses_now.h5")
    assert values.columns.names == ["individuals", "bodyparts", "coords"]
    assert values["individual_1", "tail", "x"].tolist()[2] == 7
    assert np.isnan(values.loc[1]).all()
    header = (tmp_path / "film_poses_now.csv").read_text().splitlines()[:3]
    assert header[0].startswith("individual_0,individual_0,")
    with pytest.raises(OutputExistsError, match=r"film_poses_now\.h5 already exists"):
        save_poses_to_files("film.avi", tmp_path, 2, ["nose", "tail"], poses, "now")
    with pytest.raises(DataError, match="no poses"):
        save_poses_to_files("film.avi", tmp_path, 1, ["nose"], [], "later")
    with pytest.raises(DataError, match="too large"):
        save_poses_to_files("film.avi", tmp_path, 1, ["nose"], [{"frame": 10**12, "pose": np.ones((1, 3))}], "later")


def test_wrong_input_is_one_line_and_leaves_nothing(mouse_model: Path, mouse_video: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with pytest.raises(SourceError, match="no such video"):
        benchmark(mouse_model, "onnx", tmp_path / "film.avi", save_dir=out, **OPTIONS)
    with pytest.raises(ModelNotFoundError):
        benchmark(tmp_path / "model.onnx", "onnx", mouse_video, save_dir=out, **OPTIONS)
    with pytest.raises(DLCLiveError, match="TensorFlow"):
        benchmark(mouse_model, "tensorflow", mouse_video, save_dir=out, **OPTIONS)
    with pytest.raises(UsageError, match="Unknown model type: onix"):
        benchmark(mouse_model, "onix", mouse_video, save_dir=out, **OPTIONS)
    with pytest.raises(UsageError, match="pixels"):
        benchmark(mouse_model, "onnx", mouse_video, pixels=-1, save_dir=out, **OPTIONS)
    text = tmp_path / "text.avi"
    text.write_text("not a video")
    with pytest.raises(SourceError, match="not a video"):
        benchmark(mouse_model, "onnx", text, save_dir=out, **OPTIONS)
    assert not out.parent.exists()


def test_the_command(mouse_model: Path, mouse_video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(mouse_model), str(mouse_video), "onnx", "cpu", "-r", "0.5", "-n", "3", "--save-dir", str(tmp_path)]
    assert main([*arguments, "--save-poses", "--save-video", "--no-sys-info"]) == 0
    printed = capsys.readouterr()
    assert "160 x 120, 3 frames" in printed.out
    assert "host_name" not in printed.err
    assert len(list(tmp_path.iterdir())) == 5
    assert main([*arguments[:1], "film.avi", *arguments[2:]]) == 4
    printed = capsys.readouterr()
    assert printed.err == "error: no such video: film.avi\n"
    assert main([*arguments[:3], "tpu", *arguments[4:]]) in (2, 3)
    assert capsys.readouterr().err.count("\n") == 1
