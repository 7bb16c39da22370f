"""`analyze_live_video` in processes of its own: to its end, stopped by Ctrl-C, and killed."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from dlclive.live_inference import analyze_live_video, main, save_poses_to_files

from dlclive_core import SourceError, UsageError

HOST = Path(__file__).with_name("camera_host.py")
PATIENCE = 120.0  # seconds, on a busy machine


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(HOST), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def rows_of(folder: Path, pattern: str) -> list[list[str]]:
    paths = list(folder.glob(pattern))
    if not paths:
        return []
    with paths[0].open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def poses_of(folder: Path, pattern: str) -> int:
    """The number of frames with a pose: rows of frames that the camera's session dropped are empty."""
    rows = rows_of(folder, pattern)[3:-1]  # the last one may be half written
    return sum(any(cell not in ("", "nan", "NaN") for cell in row[1:]) for row in rows)


def wait_for_rows(host: subprocess.Popen[str], folder: Path, count: int) -> None:
    limit = time.monotonic() + PATIENCE
    while poses_of(folder, "rig_poses_*.csv.part") < count:
        if host.poll() is not None or time.monotonic() > limit:
            host.kill()
            pytest.fail(f"no poses: {host.communicate()}")
        time.sleep(0.05)


def test_so_many_frames(mouse_model: Path, mouse_video: Path, tmp_path: Path) -> None:
    host = start(mouse_model, mouse_video, tmp_path, "8")
    output, errors = host.communicate(timeout=PATIENCE)
    assert host.returncode == 0, errors
    count = int(output.splitlines()[-1].split()[0])
    assert 1 <= count <= 8  # frames that were dropped on a busy machine count
    assert output.endswith("(5, 3)\n")
    kinds = {path.name.partition("_2")[0] + path.suffix for path in tmp_path.iterdir()}
    assert kinds == {"rig_poses.h5", "rig_poses.csv", "rig_timestamps.csv", "rig_system.json"}
    times = rows_of(tmp_path, "rig_timestamps_*.csv")
    assert len(times) == count + 1
    pandas = pytest.importorskip("pandas")
    (path,) = tmp_path.glob("*.h5")
    assert pandas.read_hdf(path).columns.names == ["scorer", "bodyparts", "coords"]


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent Ctrl-C alone on Windows")
def test_ctrl_c_ends_it_in_order(mouse_model: Path, mouse_video: Path, tmp_path: Path) -> None:
    host = start(mouse_model, mouse_video, tmp_path)
    wait_for_rows(host, tmp_path, 5)
    host.send_signal(signal.SIGINT)
    output, errors = host.communicate(timeout=PATIENCE)
    assert host.returncode == 0, errors
    assert "Traceback" not in errors
    assert int(output.splitlines()[-1].split()[0]) >= 5
    assert not list(tmp_path.glob("*.part*"))
    assert len(list(tmp_path.glob("rig_poses_*"))) == 2


def test_poses_survive_kill_9(mouse_model: Path, mouse_video: Path, tmp_path: Path) -> None:
    host = start(mouse_model, mouse_video, tmp_path)
    wait_for_rows(host, tmp_path, 20)
    seen = poses_of(tmp_path, "rig_poses_*.csv.part")
    host.kill()
    host.communicate()
    recovered = subprocess.run(
        [sys.executable, "-m", "dlclive_core", "recover", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert recovered.returncode == 0, recovered.stderr
    pandas = pytest.importorskip("pandas")
    (path,) = tmp_path.glob("rig_poses_*.h5")
    table = pandas.read_hdf(path)
    kept = int(np.isfinite(np.asarray(table)).any(axis=1).sum())
    assert kept >= seen - 8  # of the last 0.2 s, up to 6 frames at 30 a second, and what was being written
    assert len(rows_of(tmp_path, "rig_timestamps_*.csv")) > 1


def test_a_camera_that_is_not_there(mouse_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match="camera:63"):
        analyze_live_video(mouse_model, "onnx", "cpu", camera=63.0, display=False, save_dir=tmp_path / "out")
    with pytest.raises(UsageError, match="number of a webcam"):
        analyze_live_video(mouse_model, "onnx", "cpu", camera=0.5, display=False, save_dir=tmp_path / "out")
    with pytest.raises(UsageError, match="cannot begin the name"):
        analyze_live_video(mouse_model, "onnx", "cpu", experiment_name="../up", save_dir=tmp_path / "out")
    assert main([str(mouse_model), "--camera", "63", "--save-dir", str(tmp_path / "out")]) == 4
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: camera:63 ")
    assert not (tmp_path / "out").exists()


def test_flat_tables(tmp_path: Path) -> None:
    tables = pytest.importorskip("tables")
    poses = [{"frame": 3, "pose": np.arange(6.0).reshape(2, 3)}, {"frame": 5, "pose": np.ones((2, 3))}]
    save_poses_to_files("a.b", tmp_path, ["nose", "tail"], poses, "now")
    rows = rows_of(tmp_path, "a_poses_now.csv")
    assert rows[0] == ["frame", "nose_x", "nose_y", "nose_confidence", "tail_x", "tail_y", "tail_confidence"]
    assert [float(cell) for cell in rows[1]] == [3, 0, 1, 2, 3, 4, 5]
    with tables.open_file(str(tmp_path / "a_poses_now.h5")) as file:
        assert file.root.frames[:].tolist() == [3, 5]
        assert file.root.tail_x[:].tolist() == [3, 1]
