"""Tables of poses in space: DeepLabCut's with a column z, and Anipose's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dlclive_io.recovery.recover import recover
from dlclive_io.tables.anipose_table import AniposeTable
from dlclive_io.tables.journal_content import JournalContent
from dlclive_io.tables.pose_table import PoseTable

from dlclive_core import (
    DataError,
    Estimate,
    Frame,
    FrameSet,
    ModelCard,
    Pose,
    Pose3D,
    RunInfo,
    Sink,
    Skeleton,
    UsageError,
)
from dlclive_core.testing import SinkContract, run_info

SKELETON = Skeleton(("nose", "tail, base"))
CARD = ModelCard(net_type="test", skeleton=SKELETON, scorer="DLC_test")
TWO = CARD.with_(individuals=("ada", "bob"), multi_animal=True)
IMAGE = np.zeros((1, 1), np.uint8)


def run_in_space(card: ModelCard = CARD) -> RunInfo:
    return run_info(card, dimensions=3)


class TestAniposeTableIsASink(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return AniposeTable(tmp_path / "mouse3d.csv")


class TestPoseTableIsASinkOfPosesInSpace(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return PoseTable(tmp_path / "mouse3d.h5")

    @pytest.fixture
    def run(self) -> RunInfo:
        return run_info(dimensions=3)


def pose(seed: int, individuals: int = 1, ids: tuple[str, ...] | None = None) -> Pose3D:
    random = np.random.default_rng(seed)
    points = random.uniform(-200, 200, (individuals, 2, 4)).astype(np.float32)
    points[..., 3] = np.linspace(0.9, 0.5, individuals)[:, None]
    error = random.uniform(0, 3, (individuals, 2)).astype(np.float32)
    return Pose3D(points, SKELETON, ids=ids, error=error, views=np.full((individuals, 2), 3), unit="mm")


def estimate(index: int, what: Pose) -> Estimate:
    return Estimate(FrameSet(IMAGE, index, 0.0), what, 0.0, 0.0, 0.0)


def write(sink, poses: dict[int, Pose3D], card: ModelCard = CARD, *, finish: bool = True) -> None:
    with sink:
        sink.open(run_in_space(card))
        for index, what in poses.items():
            sink.write(estimate(index, what))
        if finish:
            sink.finish()


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_deeplabcut_s_table_has_a_column_z(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mice3d{suffix}"
    poses = {0: pose(0), 3: pose(3), 4: Pose3D.missing(SKELETON)}
    write(PoseTable(path), poses)
    table = pd.read_hdf(path) if suffix == ".h5" else pd.read_csv(path, header=[0, 1, 2], index_col=0)
    assert list(table.columns) == [
        ("DLC_test", name, coord) for name in SKELETON.keypoints for coord in ("x", "y", "z", "likelihood")
    ]
    assert list(table.index) == [0, 1, 2, 3, 4]
    assert table.loc[3].to_numpy(np.float32) == pytest.approx(poses[3].keypoints.reshape(-1))
    assert table.loc[[1, 2]].isna().all(axis=None)
    assert table.loc[4].to_numpy() == pytest.approx([np.nan, np.nan, np.nan, 0.0] * 2, nan_ok=True)


def test_animals_have_columns_of_their_own(tmp_path: Path) -> None:
    both = pose(1, 2, ids=("bob", "ada"))
    write(PoseTable(tmp_path / "mice3d.h5"), {0: both}, TWO)
    table = pd.read_hdf(tmp_path / "mice3d.h5")
    ada = table["DLC_test"]["ada"].loc[0].to_numpy(np.float32)
    assert ada == pytest.approx(both.keypoints[1].reshape(-1))


def test_a_killed_table_in_space_is_rebuilt_from_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "mice3d.h5"
    sink = PoseTable(path)
    sink.open(run_in_space())
    sink.write(estimate(0, pose(0)))
    assert sink._journal is not None
    sink._journal.commit()
    (tmp_path / "killed").mkdir()
    for name in ("mice3d.h5.part", "mice3d.h5.journal", "mice3d.h5.journal-wal"):
        (tmp_path / "killed" / name).write_bytes((tmp_path / name).read_bytes())
    sink.close()
    (file,) = recover(tmp_path / "killed").files
    assert (file.error, file.rows) == ("", 1)
    table = pd.read_hdf(tmp_path / "killed" / "mice3d.h5")
    assert table.loc[0].to_numpy(np.float32) == pytest.approx(pose(0).keypoints.reshape(-1))


def test_a_journal_of_poses_that_are_not_known_is_refused(tmp_path: Path) -> None:
    sink = PoseTable(tmp_path / "mice3d.h5")
    sink.open(run_in_space())
    sink.write(estimate(0, pose(0)))
    assert sink._journal is not None
    sink._journal.close()
    path = tmp_path / "mice3d.h5.journal"
    assert JournalContent(path).dimensions == 3
    with sqlite3.connect(path) as database:
        database.execute("UPDATE header SET value = '7' WHERE name = 'dimensions'")
    database.close()
    with pytest.raises(DataError, match="its poses are unknown"):
        JournalContent(path)
    sink._journal = None
    sink.close()


def test_anipose_s_table(tmp_path: Path) -> None:
    path = tmp_path / "mouse3d.csv"
    poses = {0: pose(0), 2: pose(2), 3: Pose3D.missing(SKELETON, 0)}
    write(AniposeTable(path), poses)
    table = pd.read_csv(path)
    names = [f"{name}_{value}" for name in SKELETON.keypoints for value in ("x", "y", "z", "error", "ncams", "score")]
    axes = [f"M_{row}{column}" for row in range(3) for column in range(3)]
    assert list(table.columns) == ["fnum", *names, *axes, "center_0", "center_1", "center_2"]
    assert table["fnum"].tolist() == [0, 1, 2, 3]
    assert table.loc[2, ["nose_x", "nose_y", "nose_z", "nose_score"]].to_numpy(np.float32) == pytest.approx(
        poses[2].keypoints[0, 0]
    )
    assert table.loc[2, "tail, base_error"] == pytest.approx(poses[2].error[0, 1])
    assert table.loc[2, "nose_ncams"] == 3
    assert table.loc[[1, 3], names].isna().all(axis=None)
    assert table[axes].to_numpy().reshape(-1, 3, 3)[1].tolist() == np.eye(3).tolist()


def test_anipose_s_table_holds_the_most_confident_animal(tmp_path: Path) -> None:
    sink = AniposeTable(tmp_path / "mouse3d.csv")
    two = pose(1, 2)
    write(sink, {0: two})
    assert sink.left_out == 1
    assert pd.read_csv(tmp_path / "mouse3d.csv").loc[0, "nose_x"] == pytest.approx(two.positions[0, 0, 0])


def test_a_killed_table_of_anipose_is_completed(tmp_path: Path) -> None:
    sink = AniposeTable(tmp_path / "mouse3d.csv")
    write(sink, {0: pose(0), 1: pose(1)}, finish=False)
    assert sink.outputs == (tmp_path / "mouse3d.csv.part",)
    with (tmp_path / "mouse3d.csv.part").open("a") as file:
        file.write("2,1.5,2.")
    (file,) = recover(tmp_path).files
    assert (file.error, file.rows, file.kind) == ("", 2, "poses")
    assert pd.read_csv(tmp_path / "mouse3d.csv")["fnum"].tolist() == [0, 1]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.csv"):
        AniposeTable(tmp_path / "mouse3d.h5")
    sink = AniposeTable(tmp_path / "mouse3d.csv")
    with sink, pytest.raises(DataError, match="poses in space, not in pixels"):
        sink.open(run_in_space())
        sink.write(Estimate(Frame(IMAGE, 0, 0.0), Pose.missing(SKELETON), 0.0, 0.0, 0.0))
    again = AniposeTable(tmp_path / "again.csv")
    with again, pytest.raises(DataError, match="frame 1 comes after frame 1: numbers must increase"):
        again.open(run_in_space())
        again.write(estimate(1, pose(0)))
        again.write(estimate(1, pose(0)))
