"""OpenPose's folders of JSON files: what is written, and what is read of them and of other programs' folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_formats.openpose import openpose_format, openpose_reader
from dlclive_formats.openpose.openpose_format import OpenPoseFormat

from dlclive_core import (
    DataError,
    ModelCard,
    OutputExistsError,
    PoseRows,
    ReadRecording,
    UsageError,
    write_recording,
)
from tests.pose_recordings import SEVERAL, SINGLE, assert_same_rows, info_of, recording_of, rows_of


def frames(folder: Path, *people: list[list[float]], ids: list[int] | None = None) -> Path:
    """A folder of another program: for each frame, the keypoints of its people."""
    folder.mkdir(exist_ok=True)
    for number, bodies in enumerate(people):
        content = {
            "version": 1.3,
            "people": [
                {"person_id": [-1 if ids is None else ids[place]], "pose_keypoints_2d": body, "face_keypoints_2d": []}
                for place, body in enumerate(bodies)
            ],
        }
        (folder / f"cam2_{number:012d}_keypoints.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("card", [SINGLE, SEVERAL], ids=["one animal", "several"])
@pytest.mark.parametrize("names", ["openpose", "pose2sim"])
def test_a_recording_comes_back_from_a_folder(tmp_path: Path, card: ModelCard, names: Any) -> None:
    path = tmp_path / "mouse_json"
    assert write_recording(OpenPoseFormat(names), recording_of(card, 300), path) == (path,)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mouse_json"]
    first = "mouse_000000000000_keypoints.json" if names == "openpose" else "mouse_000000.json"
    assert min(entry.name for entry in path.iterdir()) == first
    assert len(list(path.iterdir())) == 300  # also for frames without a pose
    assert OpenPoseFormat().recognizes(path)
    ours = OpenPoseFormat().read(path)
    assert_same_rows(rows_of(ours), rows_of(recording_of(card, 300)))
    expected = info_of(card)
    assert (ours.frame_count, ours.info.with_(card=expected.card)) == (300, expected)
    for name in ("skeleton", "individuals", "multi_animal", "unique_keypoints", "scorer"):
        assert getattr(ours.info.card, name) == getattr(card, name)


def test_the_centre_of_the_top_left_pixel_is_0_and_what_is_missing_is_0_0_0(tmp_path: Path) -> None:
    keypoints = np.array([[[[0.5, 20.5, 0.9], [np.nan, np.nan, 0], [13.25, 25, np.nan]], [[np.nan, np.nan, 0]] * 3]])
    rows = PoseRows(np.array([0]), np.array([0.25]), keypoints, np.array([[[1.5, 2.5, 0.5]] * 2]))
    path = tmp_path / "poses_json"
    write_recording(OpenPoseFormat(), ReadRecording(info_of(SEVERAL), 1, lambda: iter([rows])), path)
    frame = json.loads((path / "poses_000000000000_keypoints.json").read_text())
    (person,) = frame["people"]  # the other one was not found
    assert frame["version"] == 1.3
    assert person["person_id"] == [0]
    assert person["pose_keypoints_2d"] == [0, 20, 0.9, 0, 0, 0, 12.75, 24.5, 1]
    assert person["hand_left_keypoints_3d"] == []
    assert frame["dlclive"]["seconds"] == 0.25
    assert frame["dlclive"]["unique_keypoints_2d"] == [1, 2, 0.5] * 2


def test_a_folder_of_another_program_has_numbered_people_and_keypoints(tmp_path: Path) -> None:
    body = [3, 4, 0.5, 0, 0, 0]
    folder = frames(tmp_path / "foreign", [], [body, [5, 6, 0.25, 7, 8, 1]], [body, []])
    (folder / "notes.txt").write_text("not a frame")
    recording = OpenPoseFormat().read(folder)
    assert recording.info.card.skeleton.keypoints == ("keypoint_1", "keypoint_2")
    assert recording.info.card.individuals == ("individual_1", "individual_2")
    rows = rows_of(recording)
    nan = np.nan
    assert rows.numbers.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(rows.keypoints[0, :, :, 2], 0)
    np.testing.assert_array_equal(
        rows.keypoints[1], [[[3.5, 4.5, 0.5], [nan, nan, 0]], [[5.5, 6.5, 0.25], [7.5, 8.5, 1]]]
    )
    np.testing.assert_array_equal(rows.keypoints[2, 0], [[3.5, 4.5, 0.5], [nan, nan, 0]])


def test_people_with_numbers_of_their_own_are_individuals(tmp_path: Path) -> None:
    folder = frames(tmp_path / "a", [[1, 1, 1], [2, 2, 1]], ids=[8, 3])
    frame = json.loads((folder / "cam2_000000000000_keypoints.json").read_text())
    frame["people"].reverse()
    (folder / "cam2_000000000001_keypoints.json").write_text(json.dumps(frame))
    recording = OpenPoseFormat().read(folder)
    assert recording.info.card.individuals == ("person_3", "person_8")
    np.testing.assert_array_equal(rows_of(recording).keypoints[:, :, 0, 0], [[2.5, 1.5]] * 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot be read as OpenPose's JSON"),
        ("[" * 1_000_000, "nested too deeply"),
        ("{" + '"a":{' * 1_000_000, "nested too deeply"),
        (" " * (9 << 20), "larger than 8 MiB"),
        ("\x00\x01", "cannot be read as OpenPose's JSON"),
        ('{"people": 3}', "no list of people"),
        ('{"people": [3]}', "no list of people"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "x, y and a third"),
        ('{"people": [{"pose_keypoints_2d": ["a", 2, 3]}]}', "not numbers"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3, 4, 5, 6]}]}', r"people with \[2\] keypoints, .* have 1"),
        (json.dumps({"people": [{}] * 1001}), "1001 people; 1000 is the most"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_wrong_in_a_frame_is_told_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    folder = frames(tmp_path / "a", [[1, 1, 1]])
    damaged = folder / "cam2_000000000001_keypoints.json"
    damaged.write_text(content)
    with pytest.raises(DataError, match=message) as failure:
        rows_of(OpenPoseFormat().read(folder))
    assert damaged.name in str(failure.value)
    assert "\n" not in str(failure.value)


def test_an_own_folder_that_was_changed_is_damaged(tmp_path: Path) -> None:
    folder = tmp_path / "mouse_json"
    write_recording(OpenPoseFormat(), recording_of(SEVERAL, 3, gaps=False), folder)
    second = folder / "mouse_000000000001_keypoints.json"
    frame = json.loads(second.read_text())
    for person, message in (
        ({"person_id": [2], "pose_keypoints_2d": [1, 2, 1] * 3}, "none of the recording's individuals"),
        ({"person_id": [1], "pose_keypoints_2d": [1, 2, 1]}, "1 keypoints where 3 are expected"),
    ):
        second.write_text(json.dumps(frame | {"people": [person]}))
        with pytest.raises(DataError, match=message):
            rows_of(OpenPoseFormat().read(folder))


def test_folders_without_frames_or_with_two_of_one_number_are_errors(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert not OpenPoseFormat().recognizes(empty)
    assert not OpenPoseFormat().recognizes(tmp_path / "missing")
    for path in (empty, tmp_path / "missing"):
        with pytest.raises(DataError, match=r"no \.json files|cannot read"):
            OpenPoseFormat().read(path)
    with pytest.raises(DataError, match="no people with a body"):
        OpenPoseFormat().read(frames(tmp_path / "nobody", [], []))
    twice = frames(tmp_path / "twice", [[1, 1, 1]])
    (twice / "cam3_0.json").write_text("{}")
    with pytest.raises(DataError, match="two files of frame 0"):
        OpenPoseFormat().read(twice)


def test_missing_files_are_counted_and_named(tmp_path: Path) -> None:
    folder = frames(tmp_path / "a", *[[[1, 1, 1]]] * 20)
    assert OpenPoseFormat().read(folder).damage == ""
    for number in (0, 15, 19):  # a folder may begin and end anywhere
        (folder / f"cam2_{number:012d}_keypoints.json").unlink()
    recording = OpenPoseFormat().read(folder)
    assert recording.damage == "1 of 18 files is missing: frame 15, which has no pose in the result"
    assert 15 not in rows_of(recording).numbers
    for number in range(4, 12):
        (folder / f"cam2_{number:012d}_keypoints.json").unlink()
    assert OpenPoseFormat().read(folder).damage == (
        "9 of 18 files are missing: frames 4, 5, 6, 7, 8 and 4 more, which have no pose in the result"
    )


def test_frames_that_a_camera_dropped_have_files_so_none_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "mouse_json"
    write_recording(OpenPoseFormat(), recording_of(SINGLE, 300), path)
    assert OpenPoseFormat().read(path).damage == ""
    (path / "mouse_000000000150_keypoints.json").unlink()
    assert OpenPoseFormat().read(path).damage.startswith("1 of 300 files is missing: frame 150, ")


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpose_reader, "MOST_FILES", 2)
    with pytest.raises(DataError, match="more than 2 files: divide it"):
        OpenPoseFormat().read(frames(tmp_path / "a", [], [], []))


def test_a_counter_that_jumped_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpose_format, "MOST_EMPTY_FRAMES", 5)
    recording = recording_of(SINGLE, 3, gaps=False)
    recording.frame_count = 2**40
    with pytest.raises(DataError, match="more than 5 frames are missing"):
        write_recording(OpenPoseFormat(), recording, tmp_path / "a_json")
    assert list(tmp_path.iterdir()) == []


def test_overwriting_replaces_a_folder_that_holds_nothing_but_frames(tmp_path: Path) -> None:
    path = tmp_path / "mouse_json"
    write_recording(OpenPoseFormat(), recording_of(SINGLE, 20), path)
    with pytest.raises(OutputExistsError):
        write_recording(OpenPoseFormat(), recording_of(SINGLE, 5), path)
    assert len(list(path.iterdir())) == 20
    write_recording(OpenPoseFormat(), recording_of(SINGLE, 5), path, overwrite=True)
    assert len(list(path.iterdir())) == 5
    (path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="other contents"):
        write_recording(OpenPoseFormat(), recording_of(SINGLE, 5), path, overwrite=True)
    assert (path / "thesis.tex").read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["mouse_json"]


def test_a_link_to_a_folder_is_not_replaced(tmp_path: Path) -> None:
    real, link = frames(tmp_path / "real_json", [[1, 1, 1]]), tmp_path / "link_json"
    link.symlink_to(real, target_is_directory=True)
    with pytest.raises(UsageError, match="folder"):
        write_recording(OpenPoseFormat(), recording_of(SINGLE, 5), link, overwrite=True)
    assert len(list(real.iterdir())) == 1


def test_poses_in_space_and_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="in pixels"):
        OpenPoseFormat().check(info_of(SINGLE, dimensions=3, unit="mm"))
    with pytest.raises(UsageError, match="openpose or pose2sim"):
        OpenPoseFormat("alphapose")  # type: ignore[arg-type]
