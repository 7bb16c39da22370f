"""Two calibrated cameras on the command line: a network on two clips of a rendered mouse, and its pose in space."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dlclive_core.demo.source import MouseSource
from tests.live_runs import counts_are_whole, record

SHIFT = 40
"""Pixels between the two views: at a focal length of 400 px and 40 mm between the cameras, the floor is 400 mm below them."""

CALIBRATION = """
[cam_0]
name = "left"
size = [280, 240]
matrix = [[400.0, 0.0, 139.5], [0.0, 400.0, 119.5], [0.0, 0.0, 1.0]]
distortions = [0.0, 0.0, 0.0, 0.0, 0.0]
rotation = [0.0, 0.0, 0.0]
translation = [0.0, 0.0, 0.0]

[cam_1]
name = "right"
size = [280, 240]
matrix = [[400.0, 0.0, 139.5], [0.0, 400.0, 119.5], [0.0, 0.0, 1.0]]
distortions = [0.0, 0.0, 0.0, 0.0, 0.0]
rotation = [0.0, 0.0, 0.0]
translation = [-40.0, 0.0, 0.0]
"""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two clips: cameras side by side above the arena."""
    av = pytest.importorskip("av", reason="videos need dlclive-io")
    folder = tmp_path_factory.mktemp("views")
    source = MouseSource(seed=3, frames=40, size=(320, 240))
    for name, begin in (("left", 0), ("right", SHIFT)):
        with av.open(str(folder / f"{name}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=30)
            stream.width, stream.height, stream.pix_fmt = 280, 240, "yuv444p"
            stream.options = {"crf": "10"}
            for index in range(40):
                image = np.ascontiguousarray(source.render(index)[:, begin : begin + 280])
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
            container.mux(stream.encode())
    (folder / "calibration.toml").write_text(CALIBRATION)
    return folder


@pytest.fixture
def views(clips: Path, tmp_path: Path) -> tuple[str, ...]:
    """The clips in the command's folder; the arguments for them."""
    shutil.copytree(clips, tmp_path, dirs_exist_ok=True)
    return ("--source", "left=left.mp4", "--source", "right=right.mp4")


def test_two_clips_and_a_network_make_a_table_in_space(dlclive, model, views, tmp_path) -> None:
    pandas = pytest.importorskip("pandas")
    done = dlclive(
        "run", *views, "--model", model, "--calibration", "calibration.toml,unit=mm,tolerance=0.01",
        "--sink", "tables:mouse.csv", "--sink-3d", "tables:mouse3d.h5", "--sink-3d", "anipose:anipose.csv",
    )  # fmt: skip
    assert done.code == 0, done.err
    table = pandas.read_hdf(tmp_path / "mouse3d.h5").droplevel("scorer", axis=1)
    assert len(table) == 40
    z = table.xs("z", axis=1, level="coords")
    assert z.notna().to_numpy().mean() > 0.5
    assert np.nanmedian(np.abs(z - 400.0)) < 8.0  # a pixel of disparity is 10 mm here
    source = MouseSource(seed=3, frames=40, size=(320, 240))
    errors = []
    for index, row in table.iterrows():
        for (x, y, visible), name in zip(source.truth(index), source.skeleton.keypoints, strict=True):
            if visible and np.isfinite(row[name, "x"]):
                errors.append(np.hypot(row[name, "x"] - (x - 140), row[name, "y"] - (y - 120)))
    assert np.median(errors) < 4.0  # mm, and pixels of the clip
    assert len(pandas.read_csv(tmp_path / "anipose.csv")) == 40
    values = record(tmp_path)
    assert [source["name"] for source in values["sources"]] == ["left", "right", "3d"]
    for source in values["sources"]:
        counts_are_whole(source)
        assert source["report"]["processed"] == 40
    left, _right, joined = values["sources"]
    assert left["report"]["processors"][-1]["statistics"] == {"paired": 40}
    assert joined["outputs"] == ["mouse3d.h5", "anipose.csv"]
    assert joined["model"]["unit"] == "mm"
    assert values["options"]["sinks_3d"] == ["tables:mouse3d.h5", "anipose:anipose.csv"]
    assert (tmp_path / "latency_3d.svg").is_file()


def test_triggers_in_space_and_a_replay_of_the_cameras(dlclive, model, views, tmp_path) -> None:
    done = dlclive(
        "run", *views, "--model", model, "--calibration", "calibration.toml,unit=mm,tolerance=0.01", "--out", "run",
        "--processor", "speed:threshold=30,events=seen.csv",
        "--processor-3d", "kalman", "--processor-3d", "speed:threshold=30,events=space.csv",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert (tmp_path / "run" / "space.csv").read_text().count("\n") >= 3
    again = dlclive("replay", "run")
    assert again.code == 0, again.err
    assert "seen_left.csv: identical" in again.out
    assert "seen_right.csv: identical" in again.out


def test_a_session_file_says_the_same(dlclive, model, views, tmp_path) -> None:
    (tmp_path / "rig.yaml").write_text(
        f"""sources:
  - name: left
    source: left.mp4
  - name: right
    source: right.mp4
model: {json.dumps(str(model))}
calibration: {{file: calibration.toml, unit: mm, pair_by: number}}
sinks_3d:
  - tables: mouse3d.csv
"""
    )
    checked = dlclive("check", "rig.yaml")
    assert checked.code == 0, checked.err
    assert "cameras left, right, in mm" in checked.out
    done = dlclive("run", "rig.yaml", "--sink-3d", "anipose:more.csv")
    assert done.code == 0, done.err
    assert {"mouse3d.csv", "more.csv"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--sink-3d", "memory"), 2, "memory: poses in space need the cameras' calibration: --calibration calibration.toml"),
        (("--calibration", "none.toml"), 2, "no such calibration file: none.toml"),
        (("--calibration", "calibration.toml,tolerence=1"), 2, "no option 'tolerence': did you mean 'tolerance'"),
        (("--calibration", "calibration.toml,tolerance=no"), 2, "option 'tolerance' of calibration takes a number"),
        (("--calibration", "calibration.toml,pair_by=name"), 2, "'time' or 'device' or 'number'"),
        (("--calibration", "calibration.toml,min_views=3"), 2, "min_views is 3; give a whole number from 2 to 2"),
        (("--calibration", "calibration.toml,offsets=[1]"), 2, "offsets has 1 numbers for 2 sources"),
        (("--calibration", "calibration.toml,size=[1]"), 2, "size is [1]; give [width,height]"),
        (("--calibration", "unit=mm"), 2, "the calibration names no file"),
        (("--calibration", "calibration.toml", "--sink-3d", "video:a.mp4"), 2, "sink LabelledVideo takes poses in pixels"),
        (("--calibration", "calibration.toml", "--processor-3d", "track"), 2, "processor IdentityTracker takes poses in"),
        (("--calibration", "calibration.toml", "--sink", "anipose:a.csv"), 2, "sink AniposeTable takes poses in space only"),
        (("--calibration", "calibration.toml", "--sink-3d", "tables:m_left.csv", "--sink", "tables:m.csv"), 2, "two sinks"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_one_line(dlclive, model, views, tmp_path, arguments, code, message) -> None:
    done = dlclive("run", *views, "--model", model, *arguments)
    assert message in done.error
    assert done.code == code
    assert not list(tmp_path.glob("*.csv*"))


def test_a_camera_that_the_calibration_does_not_have(dlclive, model, views, tmp_path) -> None:
    arguments = ("--source", "left=left.mp4", "--source", "rihgt=right.mp4", "--model", model)
    done = dlclive("run", *arguments, "--calibration", "calibration.toml")
    assert "calibration.toml has no camera 'rihgt': did you mean 'right'?" in done.error
    done = dlclive("run", "--source", "left=left.mp4", "--model", model, "--calibration", "calibration.toml")
    assert "a calibration is for two sources or more" in done.error


def test_check_finds_every_error_of_the_views(dlclive, model, views, tmp_path) -> None:
    (tmp_path / "rig.yaml").write_text(
        f"""sources:
  - name: left
    source: left.mp4
  - name: right
    source: right.mp4
model: {json.dumps(str(model))}
calibration:
  file: calibration.toml
  tolerence: 0.004
processors_3d:
  - track: {{animals: 2}}
sinks_3d:
  - tables: mouse3d.txt
  - web: {{}}
"""
    )
    done = dlclive("check", "rig.yaml")
    lines = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 4, done.err
    assert "rig.yaml:9: calibration has no option 'tolerence'" in lines[0]
    assert "rig.yaml:11: processor IdentityTracker takes poses in pixels" in lines[1]
    assert "rig.yaml:13: " in lines[2]
    assert "rig.yaml:14: sink WebDisplay takes poses in pixels" in lines[3]
