"""A judgement of several animals, on poses made so that its numbers are known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dlclive_distill.footage import Labelled
from dlclive_distill.human_labels import HumanLabels, LabelledImage
from dlclive_distill.judging import judge
from dlclive_distill.judging_animals import in_tracks

from dlclive_core import Judgement

FRAMES = 20
REACH = 15.0


class Told:
    """A teacher of two animals; on labelled images it answers with `answer`."""

    animals = 2

    def __init__(self, answer: np.ndarray | None = None) -> None:
        self.answer = answer

    def label(self, images: np.ndarray) -> tuple[np.ndarray | None, None]:
        return self.answer, None


class Student:
    """Answers with prepared poses."""

    def __init__(self, poses: np.ndarray, unlike: np.ndarray | None = None) -> None:
        self.poses, self.unlike = poses, np.zeros(len(poses)) if unlike is None else unlike

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        number = int(image[0, 0, 0])
        return self.poses[number], float(self.unlike[number])


@pytest.fixture
def taught() -> np.ndarray:
    """Two animals of 30 px that walk to the right, 100 px apart; they change their rows from frame to frame."""
    poses = np.full((FRAMES, 2, 3, 3), 0.9, np.float32)
    for frame in range(FRAMES):
        for animal in range(2):
            row = (animal + frame) % 2
            poses[frame, row, :, 0] = [2 * frame, 2 * frame + 15, 2 * frame + 30]
            poses[frame, row, :, 1] = 20 + 100 * animal
    return poses


def judged(student: np.ndarray, taught: np.ndarray, unlike: np.ndarray | None = None, **options: object) -> Judgement:
    frames = np.zeros((len(taught), 32, 48, 3), np.uint8)
    frames[:, 0, 0, 0] = np.arange(len(taught))  # its number, for `Student`
    held_out = Labelled(frames, taught, np.zeros((0, 3, 0, 0), np.float16), (0,))
    values = {"human": None, "teacher": Told(), **options}
    return judge(Student(student, unlike), held_out, **values)  # type: ignore[arg-type]


def gone(poses: np.ndarray) -> None:
    poses[..., :2], poses[..., 2] = np.nan, 0


def test_animals_are_matched_whatever_their_rows(taught: np.ndarray) -> None:
    student = taught[:, ::-1].copy()
    student[..., 1] += 3
    judgement = judged(student, taught)
    assert (judgement.frames, judgement.animals, judgement.error.count) == (FRAMES, 2, FRAMES * 2 * 3)
    assert judgement.error.median_px == judgement.error.p99_px == 3
    assert (judgement.lost, judgement.hallucinated) == (0, 0)
    assert judgement.keeps_within(3)
    assert not judgement.keeps_within(2.9)


def test_lost_animals_have_no_distance_and_are_counted(taught: np.ndarray) -> None:
    student = taught.copy()
    gone(student[:4, 0])
    judgement = judged(student, taught)
    assert judgement.lost == pytest.approx(4 / (2 * FRAMES))
    assert judgement.error.count == (2 * FRAMES - 4) * 3
    assert judgement.error.p99_px == 0
    assert judgement.hallucinated == 0
    assert judgement.miscounts
    assert not judgement.keeps_within(100)


def test_an_animal_that_is_nobody_is_hallucinated_and_what_it_should_have_been_is_lost(taught: np.ndarray) -> None:
    student = taught.copy()
    student[0, 0, :, 1] += 40  # beyond half an animal
    judgement = judged(student, taught)
    assert judgement.lost == judgement.hallucinated == pytest.approx(1 / (2 * FRAMES))
    assert not judgement.miscounts
    assert judgement.keeps_within(1)


def test_where_the_teacher_is_unsure_nothing_is_lost_or_hallucinated(taught: np.ndarray) -> None:
    student = taught.copy()
    taught[:10, 0, :, 2] = 0.4
    gone(student[:5, 0])
    judgement = judged(student, taught)
    assert (judgement.lost, judgement.hallucinated) == (0, 0)
    assert judgement.error.count == (2 * FRAMES - 10) * 3


def test_an_answer_of_which_the_student_is_unsure_is_not_hallucinated(taught: np.ndarray) -> None:
    student = taught.copy()
    gone(taught[:, 0])
    student[:, 0, :, 2] = 0.5
    assert judged(student, taught).hallucinated == 0
    student[:, 0, :, 2] = 0.7
    assert judged(student, taught).hallucinated == 0.5


def test_marked_frames_are_left_out_of_what_is_trusted(taught: np.ndarray) -> None:
    student, unlike = taught.copy(), np.ones(FRAMES)
    student[:4, :, :, 1] += 10
    unlike[:4] = 1.01
    judgement = judged(student, taught, unlike)
    assert judgement.marked == pytest.approx(0.2)
    assert (judgement.error.p99_px, judgement.trusted.p99_px) == (10, 0)
    assert judgement.trusted.count == 16 * 2 * 3


def test_jitter_is_along_each_animal_and_not_along_rows(taught: np.ndarray) -> None:
    student = taught[:, ::-1].copy()
    assert judged(student, taught).jitter_px == judged(student, taught).teacher_jitter_px == 0
    student[::2, ..., 1] += 1
    judgement = judged(student, taught)
    assert (judgement.jitter_px, judgement.teacher_jitter_px) == (2, 0)


def test_rows_follow_the_animals_until_a_stretch_ends(taught: np.ndarray) -> None:
    tracks = in_tracks(taught, taught, (0,), REACH).reshape(FRAMES, 2, 3, 3)
    assert (tracks[:, 0, :, 1] == 20).all()
    assert (tracks[:, 1, :, 1] == 120).all()
    broken = in_tracks(taught, taught, (0, 5), REACH).reshape(FRAMES, 2, 3, 3)
    assert (broken[:5, 0, :, 1] == 20).all()
    assert (broken[5:, 0, :, 1] == 120).all()


def test_an_animal_that_comes_back_takes_the_free_row(taught: np.ndarray) -> None:
    seen = taught.copy()
    for frame in (7, 8):
        gone(seen[frame, (1 + frame) % 2])
    tracks = in_tracks(seen, seen, (0,), REACH).reshape(FRAMES, 2, 3, 3)
    assert (tracks[:, 0, :, 1] == 20).all()
    assert np.isnan(tracks[7:9, 1, :, 1]).all()
    assert (tracks[9:, 1, :, 1] == 120).all()


def test_nothing_to_compare_keeps_no_bound(taught: np.ndarray) -> None:
    student = taught.copy()
    gone(taught[...])
    gone(student[...])
    judgement = judged(student, taught)
    assert math.isnan(judgement.error.p95_px)
    assert math.isnan(judgement.lost)
    assert not judgement.keeps_within(1000)


class Pictures(HumanLabels):
    """Labelled images that need no file."""

    def pictures(self, size: tuple[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray] | None]:
        for each in self.images:
            yield np.zeros((size[1], size[0], 3), np.uint8), each.keypoints


def test_beside_people_animals_are_matched_too(taught: np.ndarray) -> None:
    """People call the animals in another order, and have labelled two keypoints of one and none of a third."""
    people = np.full((3, 3, 2), np.nan, np.float32)
    people[0] = taught[0, 1, :, :2] + [0, 1]
    people[1, :2] = taught[0, 0, :2, :2]
    student = taught.copy()
    student[0, 0, :, 1] += 4
    images = (LabelledImage(Path("a.png"), people),)
    human = judged(student, taught, human=Pictures(Path("project"), images), teacher=Told(taught[:1])).human
    assert human is not None
    assert (human.images, human.points) == (1, 5)
    assert human.student_mean_px == pytest.approx((3 * 1 + 2 * 4) / 5)
    assert human.teacher_mean_px == pytest.approx(3 / 5)
