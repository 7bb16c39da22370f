"""PoseTable: what readers see."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables
from dlclive_io.tables.pose_table import PoseTable

from dlclive_core import DataError, Estimate, Frame, ModelCard, OutputExistsError, Pose, Sink, Skeleton, UsageError
from dlclive_core.testing import SinkContract, run_info

SKELETON = Skeleton(("nose", "tail, base"))
SINGLE = ModelCard(net_type="test", skeleton=SKELETON, scorer="DLC_test")
MULTI = ModelCard(
    net_type="test",
    skeleton=SKELETON,
    scorer="DLC_test",
    individuals=("ada", "bob"),
    multi_animal=True,
    unique_keypoints=("lever",),
)
IMAGE = np.zeros((8, 8, 3), np.uint8)


def _estimate(index: int, pose: Pose) -> Estimate:
    return Estimate(Frame(IMAGE, index, 0.0), pose, 0.0, 0.0, 0.0)


def _pose(individuals: int, seed: int, ids: tuple[str, ...] | None = None, unique: bool = False) -> Pose:
    random = np.random.default_rng(seed)
    points = random.uniform(0, 1000, (individuals, 2, 3)).astype(np.float32)
    points[..., 2] /= 1000
    lever = np.array([[5.5, 6.25, 0.125 * seed]], np.float32) if unique else None
    return Pose(points, SKELETON, ids=ids, unique=lever)


def _write(path: Path, card: ModelCard, poses: Iterable[tuple[int, Pose]], overwrite: bool = False) -> PoseTable:
    with PoseTable(path, overwrite=overwrite) as sink:
        sink.open(run_info(card))
        for index, pose in poses:
            sink.write(_estimate(index, pose))
        sink.finish()
    return sink


def _read(path: Path, levels: int) -> pd.DataFrame:
    """As DeepLabCut and movement read: HDF5 without naming the key; CSV by its header rows."""
    if path.suffix == ".h5":
        return pd.read_hdf(path)
    return pd.read_csv(path, header=list(range(levels)), index_col=0)


@pytest.fixture(params=[".h5", ".csv"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"video{request.param}"


def test_single_animal(path: Path) -> None:
    poses = [_pose(1, seed) for seed in range(200)]
    sink = _write(path, SINGLE, enumerate(poses))
    frame = _read(path, 3)
    assert list(frame.columns.names) == ["scorer", "bodyparts", "coords"]
    assert list(frame.columns) == [
        ("DLC_test", part, coord) for part in SKELETON.keypoints for coord in ("x", "y", "likelihood")
    ]
    assert frame.index.tolist() == list(range(200))
    assert (frame.dtypes == np.float64).all()
    expected = np.stack([pose.keypoints.reshape(-1) for pose in poses])
    np.testing.assert_array_equal(frame.to_numpy().astype(np.float32), expected)
    assert sink.outputs == (path,)
    assert sorted(item.name for item in path.parent.iterdir()) == [path.name]  # no .part, no lock


def test_hdf5_holds_the_float32_exactly(tmp_path: Path) -> None:
    pose = _pose(1, 3)
    _write(tmp_path / "a.h5", SINGLE, [(0, pose)])
    np.testing.assert_array_equal(
        _read(tmp_path / "a.h5", 3).to_numpy()[0], pose.keypoints.reshape(-1).astype(np.float64)
    )


def test_multi_animal_with_fewer_and_more_than_there_are(path: Path) -> None:
    poses = [_pose(2, 0, unique=True), _pose(1, 1), _pose(0, 2), _pose(4, 3, unique=True)]
    sink = _write(path, MULTI, enumerate(poses))
    frame = _read(path, 4)
    assert list(frame.columns.names) == ["scorer", "individuals", "bodyparts", "coords"]
    assert frame.columns[0] == ("DLC_test", "ada", "nose", "x")
    assert list(frame.columns[-3:]) == [("DLC_test", "single", "lever", coord) for coord in ("x", "y", "likelihood")]
    values = frame.to_numpy().astype(np.float32)
    animals = values[:, :12].reshape(4, 2, 2, 3)
    missing = np.array([[np.nan, np.nan, 0.0]] * 2, np.float32)
    np.testing.assert_array_equal(animals[0], poses[0].keypoints)
    np.testing.assert_array_equal(animals[1], [poses[1].keypoints[0], missing])
    np.testing.assert_array_equal(animals[2], [missing, missing])
    np.testing.assert_array_equal(animals[3], poses[3].keypoints[:2])
    np.testing.assert_array_equal(values[:, 12:], [[5.5, 6.25, 0.0], missing[0], missing[0], [5.5, 6.25, 0.375]])
    assert sink.left_out == 2


def test_names_select_columns(path: Path) -> None:
    """Names of the project have their own columns; a tracker's get a free one and keep it."""
    project = [_pose(2, 0, ("bob", "ada")), _pose(1, 1, ("bob",))]
    _write(path, MULTI, enumerate(project))
    animals = _read(path, 4).to_numpy().astype(np.float32)[:, :12].reshape(2, 2, 2, 3)
    np.testing.assert_array_equal(animals[0], project[0].keypoints[::-1])
    np.testing.assert_array_equal(animals[1, 1], project[1].keypoints[0])
    assert np.isnan(animals[1, 0, :, :2]).all()
    tracked = [_pose(1, 0, ("track 7",)), _pose(3, 1, ("track 9", "track 7", "track 8"))]
    sink = _write(path, MULTI, enumerate(tracked), overwrite=True)
    animals = _read(path, 4).to_numpy().astype(np.float32)[:, :12].reshape(2, 2, 2, 3)
    np.testing.assert_array_equal(animals[1], tracked[1].keypoints[[1, 0]])
    assert sink.left_out == 1


def test_a_single_animal_table_keeps_the_most_confident_animal(path: Path) -> None:
    pose = _pose(3, 5)
    sink = _write(path, SINGLE, [(0, pose)])
    np.testing.assert_array_equal(_read(path, 3).to_numpy()[0].astype(np.float32), pose.single().reshape(-1))
    assert sink.left_out == 2


def test_lost_frames_are_rows_of_nan(path: Path) -> None:
    poses = {3: _pose(1, 0), 4: _pose(1, 1), 300: _pose(1, 2)}
    _write(path, SINGLE, poses.items())
    frame = _read(path, 3)
    assert frame.index.tolist() == list(range(301))
    assert frame.dropna(how="all").index.tolist() == [3, 4, 300]
    for number, pose in poses.items():
        np.testing.assert_array_equal(frame.loc[number].to_numpy().astype(np.float32), pose.keypoints.reshape(-1))


def test_a_run_without_frames(path: Path) -> None:
    _write(path, MULTI, [])
    frame = _read(path, 4)
    assert frame.shape == (0, 15)
    assert frame.columns.nlevels == 4


def test_what_movement_looks_for(tmp_path: Path) -> None:
    """A root item of this very name; header cells in the first column, and a number below them."""
    _write(tmp_path / "a.h5", SINGLE, [(0, _pose(1, 0))])
    with tables.open_file(str(tmp_path / "a.h5")) as file:
        assert list(file.root._v_children) == ["df_with_missing"]
        group = file.root.df_with_missing
        assert group._v_attrs.pandas_version == "0.15.2"  # readers before pandas 3.1 ask for it
        assert group.table.dtype["values_block_0"].shape == (6,)
        assert not any(isinstance(node, tables.VLArray) for node in file.walk_nodes())  # that would be pickled objects
    for card, header in ((SINGLE, ["scorer", "bodyparts", "coords", "0"]), (MULTI, None)):
        target = tmp_path / f"{card.multi_animal}.csv"
        _write(target, card, [(0, _pose(1, 0))])
        cells = [line.split(",")[0] for line in target.read_text().splitlines()]
        assert cells == (header or ["scorer", "individuals", "bodyparts", "coords", "0"])


def test_an_existing_file_is_not_replaced(path: Path) -> None:
    path.write_text("precious")
    with PoseTable(path) as sink, pytest.raises(OutputExistsError, match="exists: use overwrite"):
        sink.open(run_info(SINGLE))
    assert path.read_text() == "precious"
    _write(path, SINGLE, [(0, _pose(1, 0))], overwrite=True)
    assert len(_read(path, 3)) == 1


def test_an_interrupted_run_leaves_a_readable_part(path: Path) -> None:
    poses = [_pose(1, seed) for seed in range(100)]
    with PoseTable(path) as sink:
        sink.open(run_info(SINGLE))
        for index, pose in enumerate(poses):
            sink.write(_estimate(index, pose))
    (part,) = sink.outputs
    assert part.name == path.name + ".part"
    assert not path.exists()
    readable = part.rename(path.with_name("rescued" + path.suffix))
    np.testing.assert_array_equal(
        _read(readable, 3).to_numpy().astype(np.float32), np.stack([pose.keypoints.reshape(-1) for pose in poses])
    )


def test_a_stale_part_is_overwritten(path: Path) -> None:
    path.with_name(path.name + ".part").write_bytes(b"left by a crash" * 1000)
    path.with_name(path.name + ".part.lock").touch()
    _write(path, SINGLE, [(0, _pose(1, 0))])
    assert len(_read(path, 3)) == 1


def test_two_runs_cannot_write_one_file(path: Path) -> None:
    with PoseTable(path) as first, PoseTable(path, overwrite=True) as second:
        first.open(run_info(SINGLE))
        with pytest.raises(OutputExistsError, match="another run is writing"):
            second.open(run_info(SINGLE))
        second.close()  # must not take the first one's lock or file away
        first.write(_estimate(0, _pose(1, 0)))
        first.finish()
    assert len(_read(path, 3)) == 1


def test_invalid_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.h5 or \.csv"):
        PoseTable(tmp_path / "table.xlsx")
    (tmp_path / "folder.h5").mkdir()
    for path, message in ((tmp_path / "none" / "a.h5", "no folder"), (tmp_path / "folder.h5", "is a folder")):
        with PoseTable(path) as sink, pytest.raises(DataError, match=message):
            sink.open(run_info(SINGLE))
    with PoseTable(tmp_path / "a.h5") as sink, pytest.raises(DataError, match="not open"):
        sink.write(_estimate(0, _pose(1, 0)))


def test_frames_come_in_order(path: Path) -> None:
    with PoseTable(path) as sink:
        sink.open(run_info(SINGLE))
        sink.write(_estimate(5, _pose(1, 0)))
        with pytest.raises(DataError, match="frame 5 comes after frame 5"):
            sink.write(_estimate(5, _pose(1, 0)))


class TestHdf5Table(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return PoseTable(tmp_path / "poses.h5")


class TestCsvTable(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return PoseTable(tmp_path / "poses.csv")
