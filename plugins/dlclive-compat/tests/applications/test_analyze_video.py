"""`analyze_video` of the prototype, and the model zoo, the check of the installation, and downloads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive.applications import output_names
from dlclive.benchmark_pytorch import analyze_video, main

from dlclive_core import UsageError

FRAMES = 12


class Shift:
    """A processor in deeplabcut-live's style."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def process(self, pose: Any, **kwargs: Any) -> Any:
        self.times.append(kwargs["frame_time"])
        pose[:, 0] += 100
        return pose


def test_a_video_gives_tables_that_deeplabcut_reads(mouse_model: Path, mouse_video: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    poses, times = analyze_video(mouse_model, mouse_video, save_dir=tmp_path, save_poses=True)
    assert [entry["frame"] for entry in poses] == list(range(FRAMES))
    assert len(times) == FRAMES
    kinds = {path.name.replace("mouse_", "").partition("_2")[0] + path.suffix for path in tmp_path.iterdir()}
    assert kinds == {"poses.h5", "poses.csv", "timestamps.csv", "system.json", "DLCLIVE_LABELLED.mp4"}
    (path,) = tmp_path.glob("*.h5")
    values = pandas.read_hdf(path)
    assert values.columns.names == ["scorer", "bodyparts", "coords"]
    numbers = np.asarray(values).reshape(FRAMES, -1, 3)
    for entry, row in zip(poses, numbers, strict=True):
        found = row[:, 2] > 0
        np.testing.assert_allclose(entry["pose"][found], row[found], atol=1e-4)
        assert np.isfinite(entry["pose"]).all()
    (path,) = tmp_path.glob("*.json")
    assert json.loads(path.read_text())["dlclive_version"] == "1.1.0+dlclive"


def test_the_video_and_the_system_are_optional(mouse_model: Path, mouse_video: Path, tmp_path: Path) -> None:
    analyze_video(mouse_model, mouse_video, save_dir=tmp_path, save_video=False, get_sys_info=False, n_frames=3)
    assert list(tmp_path.iterdir()) == []


def test_a_processor_is_called_for_each_frame(mouse_model: Path, mouse_video: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"save_dir": tmp_path, "save_video": False, "get_sys_info": False}
    processor = Shift()
    plain, _ = analyze_video(mouse_model, mouse_video, **options)
    shifted, _ = analyze_video(mouse_model, mouse_video, processor=processor, **options)
    assert len(processor.times) == FRAMES
    assert processor.times == sorted(processor.times)
    first, second = plain[5]["pose"], shifted[5]["pose"]
    np.testing.assert_allclose(second[:, 0], first[:, 0] + 100, atol=1e-3)


def test_two_runs_in_one_second_do_not_share_files(
    mouse_model: Path, mouse_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_names.time, "strftime", lambda _: "20261129_120000")
    for _ in range(2):
        analyze_video(mouse_model, mouse_video, save_dir=tmp_path, save_poses=True, save_video=False, n_frames=2)
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == [
        "mouse_poses_20261129_120000.h5",
        "mouse_poses_20261129_120000_2.h5",
    ]


def test_a_class_is_refused_as_a_processor(mouse_model: Path, mouse_video: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        analyze_video(mouse_model, mouse_video, processor=Shift, save_dir=tmp_path / "out", save_video=False)
    assert not (tmp_path / "out").exists()


def test_the_command(mouse_model: Path, mouse_video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(mouse_model), str(mouse_video), "-n", "2", "--save-dir", str(tmp_path), "--save-poses"]) == 0
    assert capsys.readouterr().out.startswith("2 frames, ")
    assert {path.suffix for path in tmp_path.iterdir()} == {".h5", ".csv", ".json"}
    assert main(["nothing.onnx", str(mouse_video), "--save-dir", str(tmp_path)]) == 3
    assert "nothing.onnx" in capsys.readouterr().err
