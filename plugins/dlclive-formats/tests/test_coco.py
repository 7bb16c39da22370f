"""COCO's JSON for keypoints: what is written, and what is read of it and of other programs' files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_formats.coco import coco_index
from dlclive_formats.coco.coco_format import CocoFormat

from dlclive_core import DataError, ModelCard, PoseRows, ReadRecording, UsageError, split_rows, write_recording
from tests.pose_recordings import SEVERAL, SINGLE, assert_same_rows, info_of, recording_of, rows_of


def written(path: Path, card: ModelCard, **options: Any) -> Any:
    write_recording(CocoFormat(**options), recording_of(card), path)
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("card", [SINGLE, SEVERAL], ids=["one animal", "several"])
def test_a_recording_comes_back_from_a_data_set(tmp_path: Path, card: ModelCard) -> None:
    path = tmp_path / "poses.json"
    written(path, card)
    ours = CocoFormat().read(path)
    assert_same_rows(rows_of(ours), rows_of(recording_of(card)))
    expected = info_of(card)
    assert ours.frame_count == 700
    assert ours.info.with_(card=expected.card) == expected
    for name in ("skeleton", "individuals", "multi_animal", "unique_keypoints", "scorer"):
        assert getattr(ours.info.card, name) == getattr(card, name)


def test_positions_are_pixel_indices_and_boxes_are_measured_from_the_corner(tmp_path: Path) -> None:
    keypoints = np.array([[[[10.5, 20.5, 0.9], [13.5, 25.5, 0.5], [np.nan, np.nan, 0]]]])
    rows = PoseRows(np.array([4]), np.array([0.25]), keypoints, np.empty((1, 0, 3)))
    recording = ReadRecording(info_of(SINGLE), 5, lambda: iter([rows]))
    path = tmp_path / "poses.json"
    write_recording(CocoFormat(), recording, path)
    data = json.loads(path.read_text())
    (annotation,) = data["annotations"]
    assert annotation["keypoints"] == [10, 20, 2, 13, 25, 2, 0, 0, 0]
    assert annotation["keypoint_scores"] == [0.9, 0.5, 0]
    assert annotation["bbox"] == [10.5, 20.5, 3, 5]
    assert (annotation["num_keypoints"], annotation["area"], annotation["score"]) == (2, 15, 0.7)
    (image,) = data["images"]
    assert image["id"] == annotation["image_id"] == 4
    assert (image["file_name"], image["width"], image["height"]) == ("mouse 1_000004.png", 640, 480)
    assert (image["seconds"], image["date_captured"]) == (0.25, "2026-03-05T14:03:07.500000+01:00")
    assert data["categories"][0]["skeleton"] == [[1, 2], [1, 3]]


def test_ids_of_annotations_begin_at_1_because_0_means_missing_in_cocos_evaluation(tmp_path: Path) -> None:
    ids = [annotation["id"] for annotation in written(tmp_path / "poses.json", SEVERAL)["annotations"]]
    assert ids == list(range(1, len(ids) + 1))


def test_results_are_a_bare_list_with_the_same_positions(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    card = SEVERAL.with_(unique_keypoints=())
    results = written(path, card, results=True)
    assert {"image_id", "category_id", "keypoints", "score"} <= results[0].keys()
    ours, expected = rows_of(CocoFormat().read(path)), rows_of(recording_of(card))
    seen = np.isin(expected.numbers, ours.numbers)  # frames without an animal are not in a list of results
    assert 0 < (~seen).sum() < 100
    np.testing.assert_array_equal(ours.numbers, expected.numbers[seen])
    np.testing.assert_allclose(ours.keypoints, expected.keypoints[seen], rtol=0, atol=1e-9)
    assert np.isnan(ours.seconds).all()


def test_an_unknown_confidence_stays_unknown(tmp_path: Path) -> None:
    keypoints = np.array([[[[1.0, 2.0, np.nan]] * 3]])
    rows = PoseRows(np.array([0]), np.array([np.nan]), keypoints, np.empty((1, 0, 3)))
    path = tmp_path / "poses.json"
    write_recording(CocoFormat(), ReadRecording(info_of(SINGLE), 1, lambda: iter([rows])), path)
    assert_same_rows(rows_of(CocoFormat().read(path)), rows)


def test_a_recording_without_frames_is_a_data_set_without_images(tmp_path: Path) -> None:
    path = tmp_path / "poses.json"
    write_recording(CocoFormat(), recording_of(SINGLE, 0), path)
    ours = CocoFormat().read(path)
    assert (list(ours.blocks()), ours.frame_count, ours.info.card.skeleton) == ([], 0, SINGLE.skeleton)


def test_what_the_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in space"):
        CocoFormat().check(info_of(SINGLE, dimensions=3, unit="mm"))
    with pytest.raises(UsageError, match="unique keypoints"):
        CocoFormat(results=True).check(info_of(SEVERAL))


def foreign(tmp_path: Path, **changes: Any) -> Path:
    """What another program may write: ids that are not in order, no confidences."""
    content: dict[str, Any] = {
        "images": [{"id": 7, "file_name": "b/img_0020.png"}, {"id": 3, "file_name": "img_0010.png"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 5, "keypoints": [1, 2, 2, 0, 0, 0]},
            {"id": 2, "image_id": 3, "category_id": 5, "keypoints": [3, 4, 1, 5, 6, 2], "score": 0.25},
            {"id": 3, "image_id": 3, "category_id": 5, "keypoints": [7, 8, 2, 9, 9, 2], "iscrowd": 0},
            {"id": 4, "image_id": 3, "category_id": 5, "keypoints": [7, 8, 2, 9, 9, 2], "iscrowd": 1},
            {"id": 5, "image_id": 7, "category_id": 9, "bbox": [1, 2, 3, 4]},
        ],
        "categories": [
            {"id": 9, "name": "cage"},
            {"id": 5, "name": "rat", "keypoints": ["a", "b"], "skeleton": [[1, 2]]},
        ],
    }
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return path


def test_a_data_set_of_another_program_is_read_in_the_order_of_its_frames(tmp_path: Path) -> None:
    path = foreign(tmp_path)
    assert CocoFormat().recognizes(path)
    recording = CocoFormat().read(path)
    rows = rows_of(recording)
    assert rows.numbers.tolist() == [10, 20]  # of the images' files
    assert recording.info.card.individuals == ("individual_1", "individual_2")
    assert (recording.info.card.skeleton.keypoints, recording.info.card.skeleton.edges) == (("a", "b"), ((0, 1),))
    nan = np.nan
    np.testing.assert_array_equal(
        rows.keypoints[0], [[[3.5, 4.5, 0.25], [5.5, 6.5, 0.25]], [[7.5, 8.5, 1], [9.5, 9.5, 1]]]
    )
    np.testing.assert_array_equal(rows.keypoints[1], [[[1.5, 2.5, 1], [nan, nan, 0]], [[nan, nan, 0]] * 2])


def test_numbers_of_frames_are_ids_where_files_have_no_numbers_of_their_own(tmp_path: Path) -> None:
    images = [{"id": 7, "file_name": "cam1/a.png"}, {"id": 3, "file_name": "b.png"}]
    assert rows_of(CocoFormat().read(foreign(tmp_path, images=images))).numbers.tolist() == [3, 7]


def test_tracks_are_individuals_whatever_their_order_in_an_image(tmp_path: Path) -> None:
    annotations = [
        {"image_id": image, "category_id": 5, "track_id": track, "keypoints": [track, 0, 2, 0, 0, 0]}
        for image, track in ((3, 9), (3, 4), (7, 4), (7, 9))
    ]
    recording = CocoFormat().read(foreign(tmp_path, annotations=annotations))
    assert recording.info.card.individuals == ("track_4", "track_9")
    np.testing.assert_array_equal(rows_of(recording).keypoints[:, :, 0, 0], [[4.5, 9.5]] * 2)
    again = foreign(tmp_path, annotations=[*annotations, annotations[0]])
    with pytest.raises(DataError, match="two annotations of one animal"):
        CocoFormat().read(again)


def test_the_third_value_is_the_confidence_where_it_is_no_visibility(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results = [{"image_id": 2, "category_id": 1, "keypoints": [1, 2, 0.75, 3, 4, 0.5], "score": 0.9}]
    path.write_text(json.dumps(results))
    recording = CocoFormat().read(path)
    assert recording.info.card.skeleton.keypoints == ("keypoint_1", "keypoint_2")
    np.testing.assert_array_equal(rows_of(recording).keypoints[0, 0], [[1.5, 2.5, 0.75], [3.5, 4.5, 0.5]])


def annotation(**changes: Any) -> dict[str, Any]:
    return {"image_id": 3, "category_id": 5, "keypoints": [3, 4, 1, 5, 6, 2]} | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": [annotation(image_id=99)]}, "annotation of image 99, which is not among its images"),
        ({"annotations": [annotation(image_id="3")]}, "invalid image_id"),
        ({"annotations": [annotation(image_id=-1)]}, "invalid image_id"),
        ({"annotations": [annotation(image_id=True)]}, "invalid image_id"),
        ({"annotations": [annotation(keypoints=[1, 2])]}, "not x, y and visibility"),
        ({"annotations": [annotation(keypoints=[1, 2, 2])]}, "other than 2 keypoints"),
        ({"annotations": ["an annotation"]}, "is not an object"),
        ({"images": [{"id": 3}, {"id": 3}]}, "two images with the same id"),
        ({"images": [{"file_name": "a.png"}]}, "an image has no id"),
        ({"categories": [{"id": 5, "keypoints": "ab"}]}, "not a list of names"),
        ({"categories": [{"id": 5, "keypoints": ["a", "a"]}]}, "names that cannot be used.*repeated: a"),
        ({"categories": [{"id": 5, "keypoints": [{}, "a"]}]}, "names that cannot be used"),
        ({"categories": [{"id": 5, "keypoints": ["a", "b"], "skeleton": [[0, 1]]}]}, "not a list of pairs"),
        ({"categories": [{"id": 5, "keypoints": ["a", "b"], "skeleton": [[1, 3]]}]}, "out of range"),
        ({"categories": []}, "no category with keypoints"),
        ({"info": {"dlclive": 3}}, "metadata is no mapping"),
        ({"info": {"dlclive": {"version": 1}}}, "does not describe its poses"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_in_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = foreign(tmp_path, **changes)
    with pytest.raises(DataError, match=message) as failure:
        rows_of(CocoFormat().read(path))
    assert str(path) in str(failure.value)
    assert "\n" not in str(failure.value)


def test_categories_with_different_keypoints_are_refused(tmp_path: Path) -> None:
    categories = [{"id": 5, "name": "rat", "keypoints": ["a", "b"]}, {"id": 6, "name": "cat", "keypoints": ["a", "c"]}]
    annotations = [annotation(), annotation(category_id=6)]
    with pytest.raises(DataError, match=r"different keypoints \(rat, cat\)"):
        CocoFormat().read(foreign(tmp_path, categories=categories, annotations=annotations))
    assert len(rows_of(CocoFormat().read(foreign(tmp_path, categories=categories, annotations=annotations[:1]))))


@pytest.mark.parametrize("keypoints", [["a", 2, 2, 0, 0, 0], [[1], 2, 2, 0, 0, 0], [10**400, 2, 2, 0, 0, 0]])
def test_keypoints_that_are_not_numbers_are_told_with_their_place(tmp_path: Path, keypoints: list[Any]) -> None:
    path = foreign(tmp_path, annotations=[annotation(keypoints=keypoints)])
    with pytest.raises(DataError, match=r"cannot be read, at byte \d+: keypoints are not numbers"):
        rows_of(CocoFormat().read(path))


def test_a_file_that_changes_while_it_is_read_is_an_error_of_one_line(tmp_path: Path) -> None:
    path = foreign(tmp_path)
    recording = CocoFormat().read(path)
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(DataError, match="an annotation cannot be read, at byte"):
        rows_of(recording)


def test_an_own_file_whose_tracks_were_changed_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "poses.json"
    data = written(path, SEVERAL)
    for changes, message in (({"track_id": 3}, "none of its 2 animals"), ({"keypoints": [1, 2, 2]}, "3 keypoints")):
        first = data["annotations"][0] | {"category_id": 1} | changes
        path.write_text(json.dumps(data | {"annotations": [first]}))
        with pytest.raises(DataError, match=message):
            CocoFormat().read(path)


def test_the_number_of_annotations_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coco_index, "MOST", 2)
    with pytest.raises(DataError, match="more than 2 annotations: divide it"):
        CocoFormat().read(foreign(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"[1, 2]",
        b"null",
        b"\x89HDF\r\n\x1a\n",
        b'{"version": 1.3, "people": []}',
        b'{"images": ["a.png"]}',
        b'{"annotations": {"image_id": 3',
        b"[" * 100_000,
    ],
)
def test_other_files_are_not_recognized(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    assert not CocoFormat().recognizes(path)
    with pytest.raises(DataError):
        rows_of(CocoFormat().read(path))


def test_a_missing_file_is_not_recognized_and_an_error_to_read(tmp_path: Path) -> None:
    assert not CocoFormat().recognizes(tmp_path / "missing.json")
    assert not CocoFormat().recognizes(tmp_path)
    with pytest.raises(DataError, match="cannot read"):
        CocoFormat().read(tmp_path / "missing.json")


@pytest.mark.parametrize("position", [1e200, -1.7e308, float("inf")])
@pytest.mark.parametrize("seconds", [0.5, 1e300, -1e12, float("inf")])
def test_numbers_that_no_camera_gives_are_written_as_json(tmp_path: Path, position: float, seconds: float) -> None:
    info = info_of(SINGLE)
    values = np.ones((1, 9))
    values[0, :2], values[0, 3:5] = position, -position
    rows = split_rows(np.array([0]), np.array([seconds]), values, info)
    (path,) = write_recording(CocoFormat(), ReadRecording(info, 1, lambda: iter([rows])), tmp_path / "a.json")
    read = rows_of(CocoFormat().read(path))
    if np.isfinite(position):
        np.testing.assert_array_equal(read.keypoints, rows.keypoints)
    else:
        assert np.isnan(read.keypoints[0, 0, :2, :2]).all()


def test_a_file_whose_category_has_no_name_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    data = written(path, SINGLE)
    del data["categories"][0]["name"]
    path.write_text(json.dumps(data), encoding="utf-8")
    assert CocoFormat().recognizes(path)
    assert len(rows_of(CocoFormat().read(path)))


def test_a_confidence_that_is_a_long_text_makes_a_short_message(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    data = written(path, SINGLE)
    data["annotations"][0]["keypoint_scores"][0] = "y" * 100_000
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(DataError, match="an annotation cannot be read") as caught:
        rows_of(CocoFormat().read(path))
    assert len(str(caught.value)) < 1000
