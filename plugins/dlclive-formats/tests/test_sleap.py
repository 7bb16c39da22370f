"""SLEAP's Analysis HDF5 and CSV."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from dlclive_formats.sleap.read_sleap_csv import is_sleap_csv
from dlclive_formats.sleap.sleap_csv_format import SleapCsvFormat
from dlclive_formats.sleap.sleap_format import SleapFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlclive_core import DataError, PoseRows, RecordingInfo, TableFormat, UsageError, write_recording
from tests.pose_recordings import STARTED, Poses, card, poses, rows_of

INFO = RecordingInfo(card=card(), fps=50.0, has_times=True, started_at=STARTED, frame_size=(640, 480), source="a.mp4")
PAIR = INFO.with_(card=card(individuals=("m1", "m2"), unique=("corner", "snout")))
NAMES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=8).filter(str.strip)


def written(folder: Path, recording: Poses, format: TableFormat) -> Path:
    name = "poses.analysis.h5" if isinstance(format, SleapFormat) else "poses.analysis.csv"
    (path,) = write_recording(format, recording, folder / name, overwrite=True)
    return path


def frames(rows: PoseRows) -> dict[int, np.ndarray]:
    """Frame -> values, without the frames in which nothing was found."""
    there = ~np.isnan(rows.keypoints[..., :2]).all(axis=(1, 2, 3)) | ~np.isnan(rows.unique[..., :2]).all(axis=(1, 2))
    return {
        int(number): np.concatenate([values.ravel(), unique.ravel()])
        for number, values, unique in zip(rows.numbers[there], rows.keypoints[there], rows.unique[there], strict=True)
    }


def assert_same(read: PoseRows, rows: PoseRows) -> None:
    expected, found = frames(rows), frames(read)
    assert list(found) == list(expected)
    for number, values in expected.items():
        np.testing.assert_allclose(found[number], values, rtol=0, atol=1e-6)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(
    keypoints=st.lists(NAMES, min_size=1, max_size=4, unique=True),
    unique=st.lists(NAMES, max_size=2, unique=True),
    animals=st.lists(NAMES.filter(lambda name: name != "single"), min_size=1, max_size=3, unique=True),
    numbers=st.sets(st.integers(0, 60), max_size=40).map(sorted),
    seed=st.integers(0, 100),
)
def test_all_poses_come_back_from_hdf5(
    tmp_path_factory: pytest.TempPathFactory,
    keypoints: list[str],
    unique: list[str],
    animals: list[str],
    numbers: list[int],
    seed: int,
) -> None:
    names = card(tuple(keypoints), tuple(animals), tuple(unique), edges=())
    recording = poses(INFO.with_(card=names), numbers, seed=seed, missing=0.5)
    path = written(tmp_path_factory.mktemp("sleap"), recording, SleapFormat())
    read = SleapFormat().read(path)
    assert_same(rows_of(read), recording.rows)
    assert read.info == INFO.with_(card=names.with_(net_type="unknown"), has_times=False)
    assert np.isnan(rows_of(read).seconds).all()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(
    keypoints=st.lists(NAMES.filter(lambda name: name != "instance"), min_size=1, max_size=4, unique=True),
    numbers=st.sets(st.integers(0, 60), min_size=1, max_size=40).map(sorted),
    seed=st.integers(0, 100),
)
def test_all_poses_come_back_from_csv(
    tmp_path_factory: pytest.TempPathFactory, keypoints: list[str], numbers: list[int], seed: int
) -> None:
    names = card(tuple(keypoints), ("m1", 'm2, the "big" one'), edges=())
    recording = poses(INFO.with_(card=names), numbers, seed=seed, missing=0.2)
    recording.rows.keypoints[0, :, 0] = 1.0  # in the first frame both are there, in the order of the card
    path = written(tmp_path_factory.mktemp("sleap"), recording, SleapCsvFormat())
    read = SleapCsvFormat().read(path)
    assert_same(rows_of(read), recording.rows)
    assert read.info.card.skeleton == names.skeleton
    assert read.info.card.individuals == names.individuals


def test_frames_after_the_last_pose_are_in_the_file(tmp_path: Path) -> None:
    recording = poses(INFO, range(5, 300))
    recording.frame_count = 9000
    path = written(tmp_path, recording, SleapFormat())
    assert SleapFormat().read(path).frame_count == 9000
    assert_same(rows_of(SleapFormat().read(path)), recording.rows)


def test_the_layout_is_that_of_sleap(tmp_path: Path) -> None:
    recording = poses(PAIR, range(600), missing=0.4)
    recording.rows.keypoints[5, 0] = np.nan
    recording.rows.keypoints[5, 0, :, -1] = 0
    path = written(tmp_path, recording, SleapFormat())
    rows = recording.rows
    with h5py.File(path) as file:
        shapes = {name: (node.shape, node.dtype.kind) for name, node in file.items()}
        assert shapes["tracks"] == ((3, 2, 4, 600), "f")
        assert shapes["point_scores"] == ((3, 4, 600), "f")
        assert shapes["instance_scores"] == shapes["tracking_scores"] == ((3, 600), "f")
        assert shapes["track_occupancy"] == ((600, 3), "u")
        assert json.loads(file["tracks"].attrs["dims"]) == ["track", "xy", "node", "frame"]
        assert json.loads(file["track_occupancy"].attrs["dims"]) == ["frame", "track"]
        assert [name.decode() for name in file["track_names"]] == ["m1", "m2", "single"]
        assert [name.decode() for name in file["node_names"]] == ["snout", "left ear", "tail", "corner"]
        assert file["edge_inds"][:].tolist() == [[0, 1], [0, 2]]
        assert file["edge_names"][:].tolist() == [[b"snout", b"left ear"], [b"snout", b"tail"]]
        assert dict(file.attrs)["preset"] == "matlab"
        assert file["video_path"].asstr()[()] == "a.mp4"
        # The centre of the top left pixel is (0.5, 0.5) here, and (0, 0) there.
        np.testing.assert_allclose(file["tracks"][1, :, 2].T, rows.keypoints[:, 1, 2, :2] - 0.5)
        np.testing.assert_allclose(file["tracks"][2, :, 0].T, rows.unique[:, 1, :2] - 0.5)
        assert np.isnan(file["tracks"][2, :, 1:3]).all()
        assert file["track_occupancy"][5].tolist()[0] == 0
        assert np.isnan(file["instance_scores"][0, 5])
        there = ~np.isnan(rows.keypoints[:, 1, :, 0])
        means = [
            values[mask, -1].mean() for values, mask in zip(rows.keypoints[:, 1], there, strict=True) if mask.any()
        ]
        scores = file["instance_scores"][1]
        np.testing.assert_allclose(scores[~np.isnan(scores)], means)
        provenance = json.loads(file["provenance"].asstr()[()])
        assert "0.5 was subtracted" in provenance["pixels"]
        assert provenance["dlclive"]["started_at"] == STARTED.isoformat()


def test_the_preset_standard_and_files_without_names_of_axes_are_read(tmp_path: Path) -> None:
    recording = poses(INFO, range(300), missing=0.3)
    path = written(tmp_path, recording, SleapFormat())
    with h5py.File(path) as file:
        arrays = {name: file[name][:] for name in ("tracks", "point_scores", "node_names", "track_names")}
    orders = {
        "standard": ([3, 0, 2, 1], [2, 0, 1], ["frame", "track", "node", "xy"], None),
        "transposed": ([0, 1, 2, 3], [0, 1, 2], None, True),
        "plain": ([3, 2, 1, 0], [2, 1, 0], None, False),
    }
    for name, (tracks, scores, dims, transpose) in orders.items():
        other = tmp_path / f"{name}.h5"
        with h5py.File(other, "w") as file:
            for key, value in arrays.items():
                order = {"tracks": tracks, "point_scores": scores}.get(key)
                file[key] = value if order is None else value.transpose(order)
            if dims:
                file["tracks"].attrs["dims"] = json.dumps(dims)
                file["point_scores"].attrs["dims"] = json.dumps(dims[:3])
            if transpose is not None:
                file.attrs["transpose"] = transpose
        assert SleapFormat().recognizes(other)
        read = SleapFormat().read(other)
        assert_same(rows_of(read), recording.rows)
        assert read.info.card.skeleton.keypoints == INFO.card.skeleton.keypoints


@pytest.mark.parametrize(
    "dims", ['["track"]', "nonsense", '["track", "xy", "node", "time"]', '["frame", "xy", "node", 3]']
)
def test_axes_that_cannot_be_are_refused(tmp_path: Path, dims: str) -> None:
    path = written(tmp_path, poses(INFO, range(30)), SleapFormat())
    with h5py.File(path, "r+") as file:
        file["tracks"].attrs["dims"] = dims
    with pytest.raises(DataError, match="axes"):
        SleapFormat().read(path)


def test_facts_that_no_longer_fit_the_arrays_are_not_believed(tmp_path: Path) -> None:
    path = written(tmp_path, poses(PAIR, range(30)), SleapFormat())
    with h5py.File(path, "r+") as file:
        del file["track_names"]
        file["track_names"] = np.array([b"x", b"y", b"z"])
    info = SleapFormat().read(path).info
    assert info.card.individuals == ("x", "y", "z")
    assert (info.fps, info.card.unique_keypoints) == (None, ())
    with h5py.File(path, "r+") as file:
        del file["track_names"]
        file["track_names"] = np.array([b"x"])
    with pytest.raises(DataError, match="3 tracks of 4 nodes, but there are 1 names"):
        SleapFormat().read(path)


def test_edges_are_those_of_the_arrays(tmp_path: Path) -> None:
    """sleap-io keeps the provenance, with our facts, when somebody changes the skeleton."""
    path = written(tmp_path, poses(PAIR, range(5)), SleapFormat())
    with h5py.File(path, "r+") as file:
        del file["edge_inds"]
        file["edge_inds"] = [[2, 1], [2, 1], [0, 3], [0, 99]]  # one to a keypoint of the scene, one to none
    info = SleapFormat().read(path).info
    assert info.card.skeleton.edges == ((2, 1),)
    assert (info.fps, info.card.unique_keypoints) == (50.0, ("corner", "snout"))


def test_files_without_tracks_have_numbered_animals(tmp_path: Path) -> None:
    for animals, names in ((("a", "b"), ("individual_1", "individual_2")), (("a",), ("individual_1",))):
        path = written(tmp_path, poses(INFO.with_(card=card(individuals=animals)), range(5)), SleapFormat())
        with h5py.File(path, "r+") as file:
            del file["track_names"], file["provenance"]
            file["track_names"] = np.array([], "S1")
        assert SleapFormat().read(path).info.card.individuals == names


@pytest.mark.parametrize("format", [SleapFormat(), SleapCsvFormat()])
def test_what_sleap_cannot_hold_is_refused(tmp_path: Path, format: TableFormat) -> None:
    with pytest.raises(UsageError, match=r"write \.nwb or \.parquet"):
        format.check(INFO.with_(dimensions=3, unit="mm"))
    with pytest.raises(UsageError, match="single"):
        format.check(INFO.with_(card=card(individuals=("single", "m2"), unique=("corner",))))
    with pytest.raises(UsageError, match="instance"):
        SleapCsvFormat().check(INFO.with_(card=card(("instance", "tail", "snout"))))


CSV = "track,frame_idx,instance.score,b.x,b.y,b.score,a.x,a.y,a.score\n"


def read_csv(tmp_path: Path, text: str) -> tuple[PoseRows, tuple[str, ...]]:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    assert is_sleap_csv(path)
    recording = SleapCsvFormat().read(path)
    return rows_of(recording), recording.info.card.individuals


def test_rows_without_a_track_are_animals_in_their_order(tmp_path: Path) -> None:
    rows, names = read_csv(tmp_path, "\ufeff" + CSV + ",0,1,1,2,.5,,,\n,0,1,3,4,.5,5,6,.25\nm1,2,1,7,8,.5,,,\n")
    assert names == ("m1", "individual_1", "individual_2")
    assert rows.numbers.tolist() == [0, 2]
    np.testing.assert_array_equal(rows.keypoints[0, 2], [[3.5, 4.5, 0.5], [5.5, 6.5, 0.25]])
    np.testing.assert_array_equal(rows.keypoints[1, 0, 0], [7.5, 8.5, 0.5])
    rows, names = read_csv(tmp_path, CSV + ",0,1,1,2,.5,,,\n,7,1,3,4,.5,5,6,.25\n")
    assert (names, rows.numbers.tolist()) == (("individual_1",), [0, 7])


def test_a_single_animal_has_no_track_and_stays_one(tmp_path: Path) -> None:
    recording = poses(INFO, range(20))
    path = written(tmp_path, recording, SleapCsvFormat())
    assert all(line.startswith(",") for line in path.read_text().splitlines()[1:])
    read = SleapCsvFormat().read(path)
    assert_same(rows_of(read), recording.rows)
    assert (read.info.card.multi_animal, read.info.card.individuals) == (False, ("individual_1",))
    named = poses(INFO.with_(card=INFO.card.with_(multi_animal=True)), range(20))
    assert SleapCsvFormat().read(written(tmp_path, named, SleapCsvFormat())).info.card.multi_animal


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("m,5,1,1,2,.5,,,\nm,4,1,1,2,.5,,,\n", "line 3: frame 4 comes after frame 5: sort"),
        ("m,5,1,1,2,.5,,,\nm,5,1,1,2,.5,,,\n", "line 3: frame 5 has the track 'm' twice"),
        ("m,5,1,1,2,.5\n", "line 2: 6 values for 9 columns"),
        ("m,5,1,one,2,.5,,,\n", "line 2: could not convert"),
        ("m,-5,1,1,2,.5,,,\n", "line 2: '-5' is not the number of a frame"),
        ("m,1e300,1,1,2,.5,,,\n", "line 2: '1e300' is not the number of a frame"),
        ("m,nan,1,1,2,.5,,,\n", "line 2: 'nan' is not the number of a frame"),
        ("m,5," + "1" * (1 << 20) + "\n", "too long"),
        ("".join(f"m{number},0,1,1,2,.5,,,\n" for number in range(1001)), "line 1002: more than 1000 tracks"),
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(tmp_path, CSV + rows)


def test_other_csv_files_are_not_mistaken_for_sleaps(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for content in (
        b"",
        b"scorer,a,a\nbodyparts,x,x\ncoords,x,y\n",
        b"frame_idx,track\n",
        b"\xff\xfe\x00",
        b"\x89HDF\r\n\x1a\n",
    ):
        path.write_bytes(content)
        assert not is_sleap_csv(path)
        with pytest.raises(DataError):
            SleapCsvFormat().read(path)
    assert not is_sleap_csv(tmp_path)
