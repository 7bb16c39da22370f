"""Kept frames that are put into a DeepLabCut project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from dlclive_io import OutlierFrames, add_frames

from dlclive_core import (
    AnnotationReport,
    DataError,
    Estimate,
    FileLock,
    Frame,
    ModelCard,
    OutputExistsError,
    Pose,
    Skeleton,
    UsageError,
)
from dlclive_core.testing import run_info

SINGLE = ModelCard(net_type="test", skeleton=Skeleton(("snout", "tail")), scorer="DLC_net")
MULTI = SINGLE.with_(multi_animal=True, individuals=("a", "b"), unique_keypoints=("lever",))


def make_project(folder: Path, card: ModelCard, **changes: Any) -> Path:
    """The folder of a project, with a config.yaml as DeepLabCut writes it."""
    keypoints = list(card.skeleton.keypoints)
    values = {
        "Task": "test",
        "scorer": "Ada",
        "multianimalproject": card.multi_animal,
        "video_sets": {"/videos/first.mp4": {"crop": "0, 12, 0, 8"}},
        "bodyparts": "MULTI!" if card.multi_animal else keypoints,
        "iteration": 0,
    }
    if card.multi_animal:
        values |= {
            "individuals": list(card.individuals),
            "multianimalbodyparts": keypoints,
            "uniquebodyparts": list(card.unique_keypoints),
        }
    folder.mkdir()
    (folder / "labeled-data").mkdir()
    (folder / "config.yaml").write_text("# mine\n" + yaml.safe_dump(values | changes))
    return folder


def image(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 255, (8, 12, 3), np.uint8)


def pose_of(number: int, card: ModelCard) -> Pose:
    animals = len(card.individuals)
    keypoints = np.arange(animals * 6, dtype=np.float32).reshape(animals, 2, 3) + number
    keypoints[..., 2] = 0.25
    keypoints[0, 1] = (np.nan, np.nan, 0)
    unique = np.array([[number, 1, 0.5]], np.float32) if card.unique_keypoints else None
    return Pose(keypoints, card.skeleton, unique=unique)


def keep(
    path: Path, *numbers: int, card: ModelCard = SINGLE, live: bool = False, source: str = "/data/day2.mp4"
) -> Path:
    """A folder of kept frames of a recording of 1000 frames."""
    from dataclasses import replace

    run = replace(run_info(card, is_live=live), source=source, frame_count=None if live else 1000)
    with OutlierFrames(path) as sink:
        sink.open(run)
        for number in numbers:
            frame = Frame(image(number), number, run.started_clock + number, float(number))
            sink.write(Estimate(frame, pose_of(number, card), 0.0, 0.0, 0.0))
        sink.finish()
    return path


def add(folder: Path, project: Path, **options: Any) -> AnnotationReport:
    report = add_frames(folder, project, **options)
    assert report is not None
    return report


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("card", [SINGLE, MULTI])
def test_pictures_and_machine_labels(tmp_path: Path, card: ModelCard) -> None:
    project = make_project(tmp_path / "p", card)
    report = add(keep(tmp_path / "o", 7, 42, card=card), project)
    folder = project / "labeled-data" / "day2"
    assert report.folder == folder
    assert report.counts == {"added": 2}
    assert sorted(path.name for path in folder.iterdir()) == [
        "img007.png",
        "img042.png",
        "machinelabels-iter0.h5",
        "machinelabels.csv",
    ]
    table = pd.read_hdf(folder / "machinelabels-iter0.h5", "df_with_missing")
    assert isinstance(table, pd.DataFrame)
    assert list(table.index) == [("labeled-data", "day2", "img007.png"), ("labeled-data", "day2", "img042.png")]
    levels = (
        ["scorer", "individuals", "bodyparts", "coords"] if card.multi_animal else ["scorer", "bodyparts", "coords"]
    )
    assert list(table.columns.names) == levels
    for number, row in zip((7, 42), table.to_numpy(), strict=True):
        pose = pose_of(number, card)
        parts = [pose.keypoints.reshape(-1), *([] if pose.unique is None else [pose.unique.reshape(-1)])]
        np.testing.assert_array_equal(row, np.concatenate(parts))
        picture = cv2.imread(str(folder / f"img{number:03d}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(picture[..., ::-1], image(number))
    if card.multi_animal:
        assert table.columns[-1] == ("DLC_net", "single", "lever", "likelihood")
    again = tmp_path / "again.csv"
    table.to_csv(again)
    assert (folder / "machinelabels.csv").read_text() == again.read_text()


def test_a_second_run_adds_to_the_first(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    add(keep(tmp_path / "one", 7, 42), project)
    folder = project / "labeled-data" / "day2"
    before = pd.read_hdf(folder / "machinelabels-iter0.h5")
    other = SINGLE.with_(scorer="DLC_better", skeleton=Skeleton(("tail", "snout")))
    report = add(keep(tmp_path / "two", 3, 42, card=other), project)
    assert report.counts == {"added": 1, "present": 1}
    table = pd.read_hdf(folder / "machinelabels-iter0.h5")
    assert isinstance(table, pd.DataFrame)
    assert [row[2] for row in table.index] == ["img003.png", "img007.png", "img042.png"]
    pd.testing.assert_frame_equal(table["DLC_net"].loc[before.index], before["DLC_net"])
    assert bool(table["DLC_better"].loc[before.index].isna().all(axis=None))
    assert table["DLC_better"].iloc[0].notna().sum() == 4
    unchanged = files_in(project)
    assert add(tmp_path / "two", project).counts == {"present": 2}
    assert files_in(project) == unchanged


def test_what_a_person_has_labelled_is_left_alone(tmp_path: Path) -> None:
    """Whatever the number of digits in its name, and though its picture was decoded by another program."""
    project = make_project(tmp_path / "p", SINGLE)
    folder = project / "labeled-data" / "day2"
    folder.mkdir()
    cv2.imwrite(str(folder / "img0042.png"), image(1))
    index = pd.MultiIndex.from_tuples([("labeled-data", "day2", "img0042.png")])
    columns = pd.MultiIndex.from_product(
        [["Ada"], ["snout", "tail"], ["x", "y"]], names=["scorer", "bodyparts", "coords"]
    )
    person = pd.DataFrame([[1.0, 2, 3, 4]], index=index, columns=columns)
    person.to_hdf(folder / "CollectedData_Ada.h5", key="df_with_missing", mode="w")
    before = files_in(project)
    report = add(keep(tmp_path / "o", 7, 42), project)
    assert [(it.frame, it.image, it.result) for it in report.frames] == [
        (7, "img007.png", "added"),
        (42, "img0042.png", "labelled"),
    ]
    after = files_in(project)
    assert {name: after[name] for name in before} == before
    assert [row[2] for row in pd.read_hdf(folder / "machinelabels-iter0.h5").index] == ["img007.png"]


def test_another_picture_of_the_same_name_is_never_labelled(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    folder = project / "labeled-data" / "day2"
    folder.mkdir()
    cv2.imwrite(str(folder / "img007.png"), image(1))
    cv2.imwrite(str(folder / "img042.png"), image(42)[..., ::-1])
    (folder / "img009.png").write_bytes(b"damaged")
    report = add(keep(tmp_path / "o", 7, 9, 42), project)
    assert [(it.frame, it.result) for it in report.frames] == [
        (7, "other picture"),
        (9, "other picture"),
        (42, "added"),
    ]


@pytest.mark.parametrize("dry_run", [True, False])
def test_no_picture_is_added_twice_under_another_name(tmp_path: Path, dry_run: bool) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    folder = keep(tmp_path / "o", 7, 42)
    add(folder, project, video="monday")
    before = files_in(project)
    report = add(folder, project, video="tuesday", add_video=True, dry_run=dry_run)
    assert [(it.image, it.result) for it in report.frames] == [
        ("monday/img007.png", "elsewhere"),
        ("monday/img042.png", "elsewhere"),
    ]
    assert report.notices == ("already in the project: 2 in labeled-data/monday; nothing is left to add",)
    assert files_in(project) == before  # also no entry in config.yaml, though one was asked for
    assert not (project / "labeled-data" / "tuesday").exists()


def test_new_pictures_are_added_without_those_of_other_folders(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    add(keep(tmp_path / "one", 7), project, video="monday")
    add(keep(tmp_path / "two", 8, 9), project, video="tuesday")
    report = add(keep(tmp_path / "all", 7, 8, 9, 10), project, video="week")
    assert report.counts == {"elsewhere": 3, "added": 1}
    assert report.notices[0] == (
        "already in the project: 1 in labeled-data/monday, 2 in labeled-data/tuesday; they are left out"
    )
    week = project / "labeled-data" / "week"
    assert [path.name for path in week.glob("*.png")] == ["img010.png"]
    assert [row[2] for row in pd.read_hdf(week / "machinelabels-iter0.h5").index] == ["img010.png"]


def test_frames_of_a_camera_are_filed_under_the_time_of_the_run(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    report = add(keep(tmp_path / "o", 7, live=True, source="camera:0"), project)
    assert report.folder.name.startswith("camera_0_20")
    assert len(report.folder.name) == len("camera_0_2026-01-01_12-00-00")


@pytest.mark.parametrize(
    ("video", "name"), [("day3", "day3"), ("/rig/day3.mkv", "day3"), ("C:\\rig\\day3.avi", "day3"), ("a.b", "a.b")]
)
def test_the_name_may_be_chosen(tmp_path: Path, video: str, name: str) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    assert add(keep(tmp_path / "o", 7), project, video=video).folder.name == name


@pytest.mark.parametrize("video", ["..", ".hidden", "x_labeled", "a:b", "/", "con"])
def test_names_that_no_folder_may_have_are_refused(tmp_path: Path, video: str) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    before = files_in(tmp_path)
    with pytest.raises(UsageError, match="pass --video NAME"):
        add(keep(tmp_path / "o", 7), project, video=video)
    assert {name for name in files_in(tmp_path) if name.startswith("p/")} == set(before)


def test_a_dry_run_writes_nothing_and_says_the_same(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    folder = keep(tmp_path / "o", 7, 42)
    before = files_in(tmp_path)
    dry = add(folder, project, dry_run=True, add_video=True)
    assert files_in(tmp_path) == before
    assert not dry.files
    assert dry.frames == add(folder, project).frames


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_project_of_other_keypoints_is_refused_before_anything_is_written(tmp_path: Path, dry_run: bool) -> None:
    project = make_project(tmp_path / "p", SINGLE.with_(skeleton=Skeleton(("snout", "tial"))))
    folder = keep(tmp_path / "o", 7)
    before = files_in(tmp_path)
    with pytest.raises(UsageError, match=r"no keypoint .tail.*did you mean .tial."):
        add(folder, project, dry_run=dry_run, add_video=True)
    assert files_in(tmp_path) == before
    assert list((project / "labeled-data").iterdir()) == []


def test_a_video_that_the_project_does_not_list_is_said_and_added_on_request(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    folder = keep(tmp_path / "o", 7)
    (notice,) = add(folder, project).notices
    assert "--add-video" in notice
    assert 'day2.mp4: {crop: "0, 12, 0, 8"}' in notice
    config = (project / "config.yaml").read_bytes()
    *_, notice = add(folder, project, add_video=True).notices
    assert "now lists" in notice
    assert (project / "config.yaml.bak").read_bytes() == config
    values = yaml.safe_load((project / "config.yaml").read_text())
    assert [Path(video).stem for video in values["video_sets"]] == ["day2", "first"]
    assert (project / "config.yaml").read_text().startswith("# mine\n")
    assert add(folder, project, add_video=True).notices == (
        "already in the project: 1 in labeled-data/day2; nothing is left to add",
    )
    assert not (project / "config.yaml.bak2").exists()


def test_the_path_of_a_video_is_the_one_that_is_listed(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    video = tmp_path / "rig.mkv"
    video.touch()
    add(keep(tmp_path / "o", 7), project, video=str(video), add_video=True)
    assert str(video) in yaml.safe_load((project / "config.yaml").read_text())["video_sets"]


def test_machine_labels_belong_to_an_iteration(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", SINGLE, iteration=4)
    report = add(keep(tmp_path / "o", 7), project)
    assert report.files[0].name == "machinelabels-iter4.h5"


def test_an_interrupted_call_is_completed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    folder = keep(tmp_path / "o", 7, 42)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("dlclive_io.labelling.machine_labels.write_fixed", fails)
        with pytest.raises(DataError, match="No space left"):
            add(folder, project)
    inside = project / "labeled-data" / "day2"
    assert sorted(path.name for path in inside.iterdir()) == ["img007.png", "img042.png", "machinelabels.csv"]
    (inside / "machinelabels-iter0.h5.0123abcd.part").touch()  # as a kill leaves it
    (inside / "mine.0123abcd.part").touch()
    assert add(folder, project).counts == {"added": 2}
    assert [path.name for path in inside.glob("*.part")] == ["mine.0123abcd.part"]


def test_damaged_frames_are_left_out_and_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    folder = keep(tmp_path / "o", 5, 6, 7, 8, 9, 42)
    picture = folder / "img00000005.png"
    picture.write_bytes(picture.read_bytes()[:-60])
    (folder / "img00000006.json").write_text("")
    (folder / "img00000007.png").write_bytes(b"")
    (folder / "img00000008.json").write_text("{}")
    (folder / "img00000009.png").unlink()
    (folder / "img00000011.png").write_bytes((folder / "img00000042.png").read_bytes())  # killed before its JSON came
    report = add(folder, project)
    assert [(it.frame, it.result, it.fault) for it in report.frames] == [
        (5, "damaged", "img00000005.png is not a whole picture"),
        (6, "damaged", "img00000006.json is empty"),
        (7, "damaged", "img00000007.png is empty"),
        (8, "damaged", "img00000008.json does not describe a frame of this run"),
        (9, "damaged", "img00000009.png is missing"),
        (42, "added", ""),
    ]
    assert capfd.readouterr().err == ""  # OpenCV speaks of damaged pictures itself


def test_the_folder_of_a_run_will_do(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    (tmp_path / "run").mkdir()
    keep(tmp_path / "run" / "outliers", 7)
    assert add(tmp_path / "run", project / "config.yaml").counts == {"added": 1}
    keep(tmp_path / "run" / "outliers_left", 7)
    with pytest.raises(UsageError, match="holds 2 folders of kept frames"):
        add(tmp_path / "run", project)
    with pytest.raises(UsageError, match="holds no kept frames"):
        add(project, project)
    with pytest.raises(UsageError, match="no folder"):
        add(tmp_path / "no", project)
    assert add_frames(tmp_path / "run" / "outliers", tmp_path / "run") is None


def test_two_calls_at_once_are_one_after_the_other(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", SINGLE)
    folder = keep(tmp_path / "o", 7)
    inside = project / "labeled-data" / "day2"
    inside.mkdir()
    lock = FileLock(inside / "machinelabels.lock")
    assert lock.acquire()
    with pytest.raises(OutputExistsError, match="another process is adding frames"):
        add(folder, project)
    lock.release()
    assert add(folder, project).counts == {"added": 1}


def test_labels_of_another_kind_of_project_are_not_mixed_in(tmp_path: Path) -> None:
    multi = make_project(tmp_path / "m", MULTI)
    add(keep(tmp_path / "o", 7, card=MULTI), multi)
    project = make_project(tmp_path / "p", SINGLE)
    (project / "labeled-data" / "day2").mkdir()
    theirs = multi / "labeled-data" / "day2" / "machinelabels-iter0.h5"
    (project / "labeled-data" / "day2" / theirs.name).write_bytes(theirs.read_bytes())
    with pytest.raises(DataError, match="has other levels"):
        add(keep(tmp_path / "s", 7), project)
