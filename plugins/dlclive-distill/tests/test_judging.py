"""The numbers of a judgement, on poses made so that they are known."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dlclive_distill.footage import Labelled
from dlclive_distill.human_labels import HumanLabels, LabelledImage
from dlclive_distill.judging import calibration, distances, jitter, judge
from dlclive_distill.teacher import Teacher

FRAMES, KEYPOINTS = 20, 4


def held_out(keypoints: np.ndarray, starts: tuple[int, ...] = (0,)) -> Labelled:
    frames = np.zeros((len(keypoints), 32, 48, 3), np.uint8)
    frames[:, 0, 0, 0] = np.arange(len(keypoints))  # its number, for `Student`
    return Labelled(frames, keypoints[:, None], np.zeros((0, KEYPOINTS, 0, 0), np.float16), starts)


class Student:
    """Answers with prepared poses."""

    def __init__(self, poses: np.ndarray, unlike: np.ndarray | None = None) -> None:
        self.poses, self.unlike = poses, np.zeros(len(poses)) if unlike is None else unlike

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        number = int(image[0, 0, 0])
        return self.poses[number][None], float(self.unlike[number])


@pytest.fixture
def taught() -> np.ndarray:
    poses = np.zeros((FRAMES, KEYPOINTS, 3), np.float32)
    poses[..., 0] = np.arange(FRAMES)[:, None] * 2.0
    poses[..., 2] = 0.9
    poses[:, 3, 2] = 0.05  # the teacher does not see the last keypoint
    return poses


@pytest.fixture
def teacher(teacher_file: Path) -> Teacher:
    return Teacher(teacher_file, "cpu")


def test_distances_count_only_where_the_teacher_is_sure(taught: np.ndarray, teacher: Teacher) -> None:
    student = taught.copy()
    student[:, :3, 1] += 3
    student[:, 3, 1] += 500
    judgement = judge(Student(student), held_out(taught), None, teacher)
    assert (judgement.frames, judgement.keypoints) == (FRAMES, FRAMES * KEYPOINTS)
    assert judgement.error.count == FRAMES * 3
    assert judgement.error.median_px == judgement.error.p99_px == 3
    assert judgement.keeps_within(3.0)
    assert not judgement.keeps_within(2.9)
    assert judgement.human is None


def test_lost_and_hallucinated_keypoints_are_shares_of_what_they_can_happen_to(
    taught: np.ndarray, teacher: Teacher
) -> None:
    student = taught.copy()
    student[:5, 0, 2] = 0.5
    student[:10, 3, 2] = 0.7
    judgement = judge(Student(student), held_out(taught), None, teacher)
    assert judgement.lost == pytest.approx(5 / (3 * FRAMES))
    assert judgement.hallucinated == pytest.approx(10 / FRAMES)


def test_marked_frames_are_left_out_of_what_is_trusted(taught: np.ndarray, teacher: Teacher) -> None:
    student, unlike = taught.copy(), np.ones(FRAMES)
    student[:4, :, 1] += 100
    unlike[:4] = 1.01
    judgement = judge(Student(student, unlike), held_out(taught), None, teacher)
    assert judgement.marked == pytest.approx(0.2)
    assert judgement.error.p95_px == 100
    assert (judgement.trusted.count, judgement.trusted.p99_px) == (16 * 3, 0)


def test_nothing_to_compare_keeps_no_bound(taught: np.ndarray, teacher: Teacher) -> None:
    taught[..., 2] = 0.3
    judgement = judge(Student(taught), held_out(taught), None, teacher)
    assert math.isnan(judgement.error.p95_px)
    assert not judgement.keeps_within(1000)


def test_steady_motion_has_no_jitter_and_breaks_between_stretches_do_not_count(taught: np.ndarray) -> None:
    sure = np.ones(taught.shape[:2], bool)
    assert jitter(taught, sure, (0,)) == 0
    shaking = taught.copy()
    shaking[::2, :, 1] += 1
    assert jitter(shaking, sure, (0,)) == 2
    jumps = np.concatenate([taught, taught + 1000, taught]).astype(np.float32)
    sure = np.ones(jumps.shape[:2], bool)
    assert jitter(jumps, sure, (0, FRAMES, 2 * FRAMES)) == 0
    assert math.isnan(jitter(taught[:2], sure[:2], (0,)))


def test_keypoints_that_are_not_sure_three_times_in_a_row_have_no_jitter(taught: np.ndarray) -> None:
    shaking = taught.copy()
    shaking[10, :, 1] += 50
    sure = np.ones(taught.shape[:2], bool)
    sure[10] = False
    assert jitter(shaking[8:13], sure[8:13], (0,)) != 50
    assert math.isnan(jitter(shaking[8:13], sure[8:13], (0,)))


def test_calibration_says_what_confidence_is_worth() -> None:
    confidence = np.array([0.05, 0.65, 0.7, 0.95, 1.0], np.float32)
    distance = np.array([40.0, 4.0, 8.0, 1.0, 2.0])
    rows = {(each.low, each.high): each for each in calibration(confidence, distance)}
    assert sum(each.count for each in rows.values()) == 5
    assert (rows[0.6, 0.8].count, rows[0.6, 0.8].median_px, rows[0.6, 0.8].near) == (2, 6.0, 0.5)
    assert (rows[0.9, 1.0].count, rows[0.9, 1.0].near) == (2, 1.0)
    assert rows[0.1, 0.3].count == 0
    assert math.isnan(rows[0.1, 0.3].median_px)


def test_percentiles_are_those_of_numpy() -> None:
    values = np.arange(101.0)
    found = distances(values)
    assert (found.count, found.median_px, found.p95_px, found.p99_px) == (101, 50, 95, 99)


class Pictures(HumanLabels):
    """Labelled images that need no file."""

    def pictures(self, size: tuple[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray] | None]:
        image = np.zeros((size[1], size[0], 3), np.uint8)
        for each in self.images:
            yield None if each.path.name == "other.png" else (image, each.keypoints)


def test_beside_people_the_points_of_which_the_teacher_is_sure_count(
    taught: np.ndarray, monkeypatch: pytest.MonkeyPatch, teacher: Teacher
) -> None:
    answer = np.array([[[[10, 10, 0.9], [20, 10, 0.9], [30, 10, 0.2], [40, 10, 0.9]]]], np.float32)
    monkeypatch.setattr(Teacher, "label", lambda self, images: (answer, None))
    labels = np.array([[[10, 12], [20, np.nan], [30, 10], [40, 14]]], np.float32)
    images = tuple(LabelledImage(Path(name), labels) for name in ("a.png", "other.png"))
    student = taught.copy()
    student[0] = [[10, 13, 1], [0, 0, 1], [0, 0, 1], [40, 14, 1]]
    human = judge(Student(student), held_out(taught), Pictures(Path("project"), images), teacher).human
    assert human is not None
    assert (human.images, human.points, human.skipped) == (1, 2, 1)
    assert (human.student_mean_px, human.student_median_px) == (0.5, 0.5)
    assert (human.teacher_mean_px, human.teacher_median_px) == (3.0, 3.0)
