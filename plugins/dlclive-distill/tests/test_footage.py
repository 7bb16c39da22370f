"""Footage: who labels what, what is held out, and what a killed call leaves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_distill.footage import Footage, prepare_footage, row_file
from dlclive_distill.footage.choice import saved_choice
from dlclive_distill.teacher import Teacher
from dlclive_io import VideoFile

from dlclive_core import DataError, DistillProgress, SourceError, UsageError

COUNT = 100


@pytest.fixture(scope="module")
def teacher(teacher_file: Path) -> Teacher:
    return Teacher(teacher_file, "cpu")


@pytest.fixture(scope="module")
def made(teacher: Teacher, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Footage, Path]:
    folder = tmp_path_factory.mktemp("made") / "work"
    return prepare_footage([clip], teacher, folder, count=COUNT, seed=0), folder


def frames_of(video: Path) -> list[np.ndarray]:
    with VideoFile(video) as source:
        source.open()
        return [source.read().image for _ in range(source.frame_count or 0)]


def chosen_numbers(folder: Path) -> list[int]:
    choice = saved_choice(folder)
    assert choice is not None
    return [int(choice.candidates[at, 1]) for at in json.loads((folder / "chosen.json").read_text())]


def test_frames_are_those_of_the_video_with_the_teachers_labels(
    made: tuple[Footage, Path], teacher: Teacher, clip: Path
) -> None:
    footage, folder = made
    frames, numbers = frames_of(clip), chosen_numbers(folder)
    assert len(footage.train) == len(numbers) == COUNT
    assert footage.stride == teacher.stride
    for place in (0, 37, COUNT - 1):
        image = footage.train.frames[place]
        assert np.array_equal(image, frames[numbers[place]])
        keypoints, heatmaps = teacher.label(np.asarray(image)[None])
        assert np.allclose(footage.train.keypoints[place], keypoints[0], atol=1e-3)
        assert np.allclose(footage.train.heatmaps[place], heatmaps[0], atol=1e-3)
    assert not footage.train.frames.flags.writeable


def test_what_is_held_out_is_the_last_fifth_a_second_away(made: tuple[Footage, Path], clip: Path) -> None:
    footage, folder = made
    frames = frames_of(clip)
    assert max(chosen_numbers(folder)) < 130
    assert len(footage.held_out) == 40
    assert footage.held_out.starts == (0,)
    assert footage.held_out.heatmaps.shape == (0, 6, 0, 0)
    assert np.array_equal(footage.held_out.frames[0], frames[160])
    assert np.array_equal(footage.held_out.frames[39], frames[199])


def test_a_second_call_asks_nobody_and_reads_the_same(
    made: tuple[Footage, Path], teacher: Teacher, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    footage, folder = made
    monkeypatch.setattr(Teacher, "label", None)
    again = prepare_footage([clip], teacher, folder, count=COUNT, seed=0)
    assert np.array_equal(again.train.keypoints, footage.train.keypoints)
    assert again.train.starts == footage.train.starts


class Killed(BaseException):
    """The process ends here."""


def killed_at(stage: str, after: int) -> Callable[[DistillProgress], None]:
    def report(now: DistillProgress) -> None:
        if now.stage.startswith(stage) and now.done >= after:
            raise Killed

    return report


@pytest.mark.parametrize(
    ("stage", "after"), [("looking", 50), ("labelling", 0), ("labelling", 60), ("labelling", 160), ("reading", 40)]
)
def test_a_call_that_was_killed_is_continued_to_the_same_footage(
    stage: str, after: int, made: tuple[Footage, Path], teacher: Teacher, clip: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    with pytest.raises(Killed):
        prepare_footage([clip], teacher, folder, count=COUNT, seed=0, report=killed_at(stage, after))
    assert not (folder / "complete.json").exists()
    seen: list[DistillProgress] = []
    footage = prepare_footage([clip], teacher, folder, count=COUNT, seed=0, report=seen.append)
    first = next((now for now in seen if now.stage.startswith(stage)), None)
    assert first is not None
    assert first.done >= after - 8 if stage != "looking" else first.done == 0
    whole = made[0]
    assert np.array_equal(footage.train.frames, whole.train.frames)
    assert np.allclose(footage.train.keypoints, whole.train.keypoints, atol=1e-3)
    assert np.array_equal(footage.held_out.frames, whole.held_out.frames)


def test_a_folder_of_something_else_is_refused(
    made: tuple[Footage, Path], teacher: Teacher, clip: Path, film: Any, make_teacher: Any, tmp_path: Path
) -> None:
    _, folder = made
    other = Teacher(make_teacher(tmp_path / "other.pt", seed=5), "cpu")
    another_film = film(tmp_path / "other.mp4", seed=4)
    for videos, who, options, what in (
        ([clip], other, {}, "another teacher"),
        ([another_film], teacher, {}, "other videos"),
        ([clip], teacher, {"count": 120}, "--training-frames 100 and not 120"),
        ([clip], teacher, {"seed": 3}, "--seed 0 and not 3"),
    ):
        with pytest.raises(UsageError, match=f"holds the footage of {what}.*delete the folder"):
            prepare_footage(videos, who, folder, **{"count": COUNT, "seed": 0, **options})


def test_with_three_videos_the_last_one_is_held_out_whole(
    teacher: Teacher, clip: Path, film: Any, tmp_path: Path
) -> None:
    more = [film(tmp_path / f"{seed}.mp4", frames=60, seed=seed) for seed in (1, 2)]
    footage = prepare_footage([clip, *more], teacher, tmp_path / "work", count=COUNT, seed=0)
    assert len(footage.held_out) == 40 + 12 + 60
    assert footage.held_out.starts == (0, 40, 52)
    choice = saved_choice(tmp_path / "work")
    assert choice is not None
    assert set(choice.candidates[:, 0].tolist()) == {0, 1}


def test_fewer_frames_than_asked_for_are_said(teacher: Teacher, clip: Path, tmp_path: Path) -> None:
    footage = prepare_footage([clip], teacher, tmp_path / "work", count=1500, seed=0)
    assert len(footage.train) == 130
    assert footage.notices == (
        "130 frames are learnt from and not 1500: the videos have no more; give more, or longer ones",
    )


def refused(error: type[Exception], message: str, videos: list[Path], teacher: Teacher, folder: Path) -> None:
    with pytest.raises(error, match=message) as raised:
        prepare_footage(videos, teacher, folder, count=COUNT, seed=0)
    assert "\n" not in str(raised.value)


def test_too_few_frames_to_learn_from_or_judge_on_are_refused(teacher: Teacher, film: Any, tmp_path: Path) -> None:
    short = film(tmp_path / "short.mp4", frames=140)
    refused(DataError, "have 82 frames to learn from.*at least 100", [short], teacher, tmp_path / "a")
    videos = [film(tmp_path / f"{seed}.mp4", frames=64, seed=seed) for seed in range(2)]
    refused(DataError, "have 42 frames to learn from", videos, teacher, tmp_path / "b")


def test_a_video_without_the_animal_is_refused_before_it_is_labelled(
    make_teacher: Any, clip: Path, tmp_path: Path
) -> None:
    teacher = Teacher(make_teacher(tmp_path / "a.pt", sure=1), "cpu")
    refused(DataError, r"a\.pt sees little in \d+ frames.* 17 % of the keypoints", [clip], teacher, tmp_path / "work")
    assert not (tmp_path / "work" / "choice.json").exists()


def test_a_teacher_that_is_nowhere_sure_is_refused(make_teacher: Any, clip: Path, tmp_path: Path) -> None:
    teacher = Teacher(make_teacher(tmp_path / "a.pt", high=-1.5), "cpu")
    refused(DataError, r"nowhere sure in .*highest confidence is 0\.[123]", [clip], teacher, tmp_path / "work")


def test_videos_of_other_sizes_are_refused(teacher: Teacher, clip: Path, film: Any, tmp_path: Path) -> None:
    wide = film(tmp_path / "wide.mp4", frames=20, size=(192, 128))
    message = r"wide\.mp4 has frames of 192 x 128, and .*mouse\.mp4 of 160 x 128"
    refused(DataError, message, [clip, wide], teacher, tmp_path / "work")


def test_what_is_not_a_video_is_refused(teacher: Teacher, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no film")
    refused(DataError, "notes", [tmp_path / "notes.mp4"], teacher, tmp_path / "work")
    refused(SourceError, "missing", [tmp_path / "missing.mp4"], teacher, tmp_path / "work")
    refused(DataError, "is a folder", [tmp_path], teacher, tmp_path / "work")


def test_a_damaged_video_gives_its_other_frames_and_says_so(teacher: Teacher, clip: Path, tmp_path: Path) -> None:
    content = bytearray(clip.read_bytes())
    at = len(content) // 3
    content[at : at + 3000] = bytes(3000)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    footage = prepare_footage([damaged], teacher, tmp_path / "work", count=COUNT, seed=0)
    assert footage.notices[0].startswith("damaged.mp4 is damaged: ")
    assert len(footage.train) == COUNT


def test_a_disk_without_room_is_refused_before_labelling(
    teacher: Teacher, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 10**6

    monkeypatch.setattr(row_file.shutil, "disk_usage", lambda _: Usage)
    refused(DataError, r"takes 0\.0 GB more in .*, and 0\.0 GB are free there", [clip], teacher, tmp_path / "work")
    assert not list((tmp_path / "work").glob("candidates_heatmaps*"))
