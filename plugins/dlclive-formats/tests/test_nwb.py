"""NWB files that dlclive writes: everything comes back, and other programs find what they look for."""

from __future__ import annotations

from pathlib import Path

import h5py
import ndx_pose  # noqa: F401 - it registers the types of ndx-pose
import numpy as np
import pynwb
import pytest
from dlclive_formats.nwb.nwb_format import NwbFormat
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dlclive_core import OutputExistsError, RecordingInfo, UsageError, write_recording
from tests.pose_recordings import STARTED, Poses, card, poses, rows_of

INFO = RecordingInfo(
    card=card(), fps=50.0, has_times=True, started_at=STARTED, frame_size=(640, 480), source="camera:0"
)
BEHAVIOR = "processing/behavior"


def written(tmp_path: Path, recording: Poses, format: NwbFormat | None = None) -> Path:
    """The recording's only file."""
    (path,) = write_recording(format or NwbFormat(), recording, tmp_path / "poses.nwb", overwrite=True)
    return path


def assert_same(path: Path, recording: Poses, animal: int = 0) -> None:
    """A file has the rows of one animal of a recording."""
    rows, read = recording.rows, rows_of(NwbFormat().read(path))
    np.testing.assert_array_equal(read.numbers, rows.numbers)
    np.testing.assert_allclose(read.seconds, rows.seconds, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(read.keypoints[:, 0], rows.keypoints[:, animal])
    np.testing.assert_array_equal(read.unique, rows.unique)


NAMES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=8).filter(str.strip)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)  # each writes files
@given(
    keypoints=st.lists(NAMES, min_size=1, max_size=4, unique=True),
    unique=st.lists(NAMES, max_size=2, unique=True),
    numbers=st.sets(st.integers(0, 60), max_size=40).map(sorted),
    dimensions=st.sampled_from([2, 3]),
    seed=st.integers(0, 100),
)
def test_all_poses_and_times_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    keypoints: list[str],
    unique: list[str],
    numbers: list[int],
    dimensions: int,
    seed: int,
) -> None:
    names = card(tuple(keypoints), unique=tuple(unique), edges=())
    unit = "px" if dimensions == 2 else "mm"
    recording = poses(INFO.with_(card=names, dimensions=dimensions, unit=unit, source=""), numbers, seed=seed)
    path = written(tmp_path_factory.mktemp("nwb"), recording)
    assert_same(path, recording)
    info = NwbFormat().read(path).info
    assert info.card.skeleton == names.skeleton
    assert info.card.unique_keypoints == names.unique_keypoints
    assert (info.dimensions, info.unit, info.started_at) == (dimensions, unit, STARTED)


def test_the_validator_of_pynwb_finds_nothing_and_pynwb_reads_the_same(tmp_path: Path) -> None:
    video = tmp_path / "clip.mp4"
    video.touch()
    recording = poses(INFO.with_(source=str(video)), np.delete(np.arange(5000), [7, 8, 4000]))
    path = written(
        tmp_path, recording, NwbFormat(species="Mus musculus", sex="F", age="P90D", experimenter="Doe, Jane")
    )
    assert pynwb.validate(path=path) == []
    with pynwb.NWBHDF5IO(path, "r") as file:
        nwb = file.read()
        estimation = nwb.processing["behavior"]["PoseEstimation"]
        assert (estimation.scorer, estimation.source_software) == ("DLC_test", "dlclive")
        assert list(estimation.skeleton.nodes[:]) == ["snout", "left ear", "tail"]
        assert estimation.skeleton.edges[:].tolist() == [[0, 1], [0, 2]]
        assert estimation.source_video.external_file[:].tolist() == ["clip.mp4"]
        assert estimation.source_video.dimension[:].tolist() == [640, 480]
        assert (nwb.subject.sex, nwb.subject.age, nwb.experimenter) == ("F", "P90D", ("Doe, Jane",))
        series = estimation["left ear"]
        assert series.data.dtype == series.confidence.dtype == np.float64
        assert "(0.5, 0.5)" in series.reference_frame
        assert series.timestamps.shape == (5000,)
        assert series.control[:].nonzero()[0].tolist() == [7, 8, 4000]
        assert np.isnan(series.data[7]).all()
        assert series.confidence[7] == 0
        kept = series.control[:] == 0
        np.testing.assert_array_equal(series.data[kept], recording.rows.keypoints[:, 0, 1, :2])
        np.testing.assert_array_equal(series.timestamps[kept], recording.rows.seconds)
        assert (np.diff(series.timestamps[:]) > 0).all()
    with h5py.File(path) as raw:
        assert isinstance(raw.get(f"{BEHAVIOR}/PoseEstimation/tail/timestamps", getlink=True), h5py.SoftLink)
    assert_same(path, recording)


def test_regular_times_become_a_rate_and_others_stay(tmp_path: Path) -> None:
    regular = poses(INFO, np.arange(300), seconds=2 + np.arange(300) / 29.97)
    path = written(tmp_path, regular)
    with h5py.File(path) as raw:
        series = raw[f"{BEHAVIOR}/PoseEstimation/snout"]
        assert "timestamps" not in series
        assert series["starting_time"].attrs["rate"] == pytest.approx(29.97, rel=1e-12)
    assert_same(path, regular)
    seconds = np.arange(300) / 50
    seconds[17] += 1e-6
    late = poses(INFO, np.arange(300), seconds=seconds)
    path = written(tmp_path, late)
    with h5py.File(path) as raw:
        np.testing.assert_array_equal(raw[f"{BEHAVIOR}/PoseEstimation/snout/timestamps"][:], seconds)


def test_a_recording_without_times_needs_a_rate(tmp_path: Path) -> None:
    untimed = INFO.with_(has_times=False, fps=None)
    recording = poses(untimed, [0, 1, 3], seconds=[np.nan] * 3)
    with pytest.raises(UsageError, match="pass fps=30"):
        written(tmp_path, recording)
    path = written(tmp_path, recording, NwbFormat(fps=25))
    assert rows_of(NwbFormat().read(path)).seconds.tolist() == [0, 1 / 25, 3 / 25]


def test_a_recording_without_a_start_needs_one_and_none_is_invented(tmp_path: Path) -> None:
    recording = poses(INFO.with_(started_at=None), [0, 1])
    with pytest.raises(UsageError, match=r"session_start=\d{4}-\d\d-\d\dT"):
        written(tmp_path, recording)
    assert list(tmp_path.iterdir()) == []
    path = written(tmp_path, recording, NwbFormat(session_start="2026-03-05T13:03:07.25Z"))
    assert NwbFormat().read(path).info.started_at == STARTED


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sex": "male"}, "M, F, O"),
        ({"age": "90 days"}, "P90D"),
        ({"age": "P"}, "P90D"),
        ({"species": "mouse"}, "Mus musculus"),
        ({"session_start": "yesterday"}, "time zone"),
        ({"session_start": "2026-11-29T14:03:00"}, r"without a time zone: .* 2026-11-29T14:03:00\+01:00 "),
        ({"session_start": "2026-11-29"}, r"without a time zone: .* 2026-11-29T00:00:00\+01:00 "),
        ({"fps": 0.0}, "frames per second"),
        ({"source_video": Path("nowhere.mp4")}, "no file nowhere.mp4"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_right(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        NwbFormat(**options)


def test_each_animal_gets_a_file_and_all_have_the_unique_keypoints(tmp_path: Path) -> None:
    names = card(individuals=("m1", "ü/2"), unique=("corner", "skeleton"))
    recording = poses(INFO.with_(card=names), range(0, 400, 3))
    recording.rows.keypoints[:, 1] = np.nan  # never there
    recording.rows.keypoints[:, 1, :, -1] = 0
    paths = write_recording(NwbFormat(), recording, tmp_path / "pair.nwb")
    assert [path.name for path in paths] == ["pair_m1.nwb", "pair_ü_2.nwb"]
    for animal, path in enumerate(paths):
        assert pynwb.validate(path=path) == []
        assert_same(path, recording, animal)
    first, second = (NwbFormat().read(path).info.card for path in paths)
    assert (first.individuals, first.unique_keypoints) == (("m1",), ("corner", "skeleton"))
    assert second.individuals == ("ü_2",)
    with h5py.File(paths[0]) as one, h5py.File(paths[1]) as other:
        assert one["identifier"][()] != other["identifier"][()]
    with pytest.raises(OutputExistsError, match="pair_m1"):
        write_recording(NwbFormat(), recording, tmp_path / "pair.nwb")
    with pytest.raises(UsageError, match="subject_id is for one animal"):
        write_recording(NwbFormat(subject_id="M12"), recording, tmp_path / "other.nwb")


@pytest.mark.parametrize("multi_animal", [True, False])
@pytest.mark.parametrize("subject", ["", "M12"])
def test_a_single_animal_project_stays_one_whatever_the_subject_is_called(
    tmp_path: Path, multi_animal: bool, subject: str
) -> None:
    names = card(individuals=("m1",) if multi_animal else ("individual_1",)).with_(multi_animal=multi_animal)
    recording = poses(INFO.with_(card=names), range(5))
    read = NwbFormat().read(written(tmp_path, recording, NwbFormat(subject_id=subject))).info.card
    assert (read.multi_animal, read.individuals) == (multi_animal, (subject or names.individuals[0],))


def test_names_that_nwb_does_not_have_come_back(tmp_path: Path) -> None:
    keypoints = ("a/b", "a:b", "a\\b", "a_b", "skeleton", "skeleton_keypoint", "..", "é 鼠", "description")
    recording = poses(INFO.with_(card=card(keypoints)), range(5))
    path = written(tmp_path, recording)
    assert pynwb.validate(path=path) == []
    assert NwbFormat().read(path).info.card.skeleton.keypoints == keypoints
    assert_same(path, recording)
    with h5py.File(path) as raw:  # as it is, where NWB has such a name
        assert {"a_b", "skeleton_keypoint", "é 鼠"} <= set(raw[f"{BEHAVIOR}/PoseEstimation"])


def test_a_skeleton_of_258_keypoints_keeps_its_edges(tmp_path: Path) -> None:
    """In the specification, edges are uint8."""
    keypoints = tuple(f"k{number}" for number in range(258))
    recording = poses(INFO.with_(card=card(keypoints, edges=((0, 255), (256, 257)))), range(2))
    path = written(tmp_path, recording)
    assert pynwb.validate(path=path) == []
    assert NwbFormat().read(path).info.card.skeleton.edges == ((0, 255), (256, 257))


@pytest.mark.parametrize("numbers", [[], [0], [3]])
def test_few_frames_are_a_valid_file(tmp_path: Path, numbers: list[int]) -> None:
    recording = poses(INFO.with_(fps=None), numbers)
    path = written(tmp_path, recording)
    assert pynwb.validate(path=path) == []
    assert_same(path, recording)


def test_frames_after_the_last_pose_are_in_the_file(tmp_path: Path) -> None:
    recording = poses(INFO, range(5, 300))
    recording.frame_count = 2500
    path = written(tmp_path, recording)
    with h5py.File(path) as raw:
        series = raw[f"{BEHAVIOR}/PoseEstimation/snout"]
        assert series["data"].shape == (2500, 2)
        assert np.isnan(series["data"][300:]).all()
        assert np.diff(series["timestamps"][:]).min() > 0
        assert series["control"][:].nonzero()[0].tolist() == [*range(5), *range(300, 2500)]
    assert_same(path, recording)
    assert NwbFormat().read(path).frame_count == 2500


def test_a_video_is_linked_from_where_the_file_comes_to_lie(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "nwb").mkdir()
    video = tmp_path / "videos" / "clip.mp4"
    video.touch()
    path = written(tmp_path / "nwb", poses(INFO, range(3)), NwbFormat(source_video=video))
    with h5py.File(path) as raw:
        assert raw["acquisition/source_video/external_file"][0].decode() == "../videos/clip.mp4"
    info = NwbFormat().read(path).info
    assert Path(info.source).samefile(video)
    assert info.frame_size == (640, 480)
    path = written(tmp_path / "nwb", poses(INFO.with_(source="gone.mp4"), range(3)))
    with h5py.File(path) as raw:
        assert "source_video" not in raw["acquisition"]
