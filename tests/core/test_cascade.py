"""A student with its teacher behind it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from dlclive_core import (
    Cascade,
    FrameError,
    PoseModel,
    UsageError,
)
from dlclive_core.testing import BlobModel, NullModel, PoseModelContract
from tests.students import FACTS, BlobStudent, CountingTeacher, MarkedSource, image


class TestCascadeContract(PoseModelContract):
    @pytest.fixture
    def model(self) -> PoseModel:
        return Cascade(BlobStudent(), CountingTeacher())


def test_the_student_answers_what_is_like_its_training() -> None:
    teacher = CountingTeacher()
    pose = Cascade(BlobStudent(), teacher).predict(image(0.9))
    assert teacher.predicted == 0
    assert pose.unlike == 0.9
    assert pose.confidence.max() == 0.5, "of the student"


def test_the_teacher_answers_what_is_unlike_it_and_the_pose_stays_marked() -> None:
    student = BlobStudent()
    pose = Cascade(student, CountingTeacher()).predict(image(1.01))
    assert pose.unlike == 1.01
    assert pose.is_unlike
    assert pose.confidence.max() == 1.0, "of the teacher"
    assert pose.skeleton is student.card.skeleton


@pytest.mark.parametrize(("limit", "answered"), [(0.4, 1), (0.5, 0), (2.0, 0)])
def test_the_limit_can_be_another(limit: float, answered: int) -> None:
    teacher = CountingTeacher()
    Cascade(BlobStudent(), teacher, limit).predict(image(0.5))
    assert teacher.predicted == answered


@pytest.mark.parametrize("unlike", [None, math.nan, math.inf])
def test_a_pose_without_a_number_goes_to_the_teacher(unlike: float | None) -> None:
    class Silent(BlobStudent):
        def predict(self, image, *, boxes=None):
            return replace(super().predict(image, boxes=boxes), unlike=unlike)

    teacher = CountingTeacher()
    Cascade(Silent(), teacher).predict(image(0))
    assert teacher.predicted == 1


def test_of_a_batch_the_teacher_answers_those_that_need_it() -> None:
    student, teacher = BlobStudent(), CountingTeacher()
    cascade = Cascade(student, teacher)
    poses = cascade.predict_batch([image(value) for value in (0.1, 1.5, 0.2, 2.0)])
    assert student.calls == ["batch of 4"]
    assert teacher.predicted == 2
    assert [pose.unlike for pose in poses] == [0.1, 1.5, 0.2, 2.0]
    assert [float(pose.confidence.max()) for pose in poses] == [0.5, 1.0, 0.5, 1.0]
    assert cascade.predict_batch([]) == []


def test_an_image_that_fills_up_a_batch_is_answered_once() -> None:
    teacher = CountingTeacher()
    cascade = Cascade(BlobStudent(), teacher)
    last = image(1.5)
    poses = cascade.predict_batch([image(0.1), last, last, last])
    assert [pose.unlike for pose in poses] == [0.1, 1.5, 1.5, 1.5]
    assert teacher.predicted == 1
    assert (cascade.statistics["student_frames"], cascade.statistics["teacher_frames"]) == (1, 1)


def test_both_get_the_frame_where_the_session_gives_it() -> None:
    frames = []

    class Whole(CountingTeacher):
        def predict_frame(self, frame, image):
            frames.append(frame)
            return self.predict(image)

    frame = MarkedSource(1.5)
    frame.open()
    first = frame.read(1.0)
    assert Cascade(BlobStudent(), Whole()).predict_frame(first, first.image).unlike == 1.5
    assert frames == [first]


def test_both_are_warmed_up_reset_and_closed() -> None:
    student, teacher = CountingTeacher(student=FACTS), CountingTeacher()
    cascade = Cascade(student, teacher)
    cascade.warmup((60, 80, 3))
    cascade.reset()
    cascade.close()
    assert [(model.warmed, model.resets, model.closed) for model in (student, teacher)] == [(1, 1, 1)] * 2


def test_the_teacher_is_closed_though_the_student_cannot_be() -> None:
    class Stuck(BlobStudent):
        def close(self):
            raise OSError("no")

    teacher = CountingTeacher()
    with pytest.raises(OSError, match="no"):
        Cascade(Stuck(), teacher).close()
    assert teacher.closed == 1


def test_a_teacher_that_is_not_owned_stays_open() -> None:
    teacher = CountingTeacher()
    Cascade(BlobStudent(), teacher, owns_teacher=False).close()
    assert teacher.closed == 0


def test_it_says_what_it_is_made_of() -> None:
    student, teacher = BlobStudent(), CountingTeacher()
    cascade = Cascade(student, teacher)
    assert cascade.card is student.card
    assert cascade.cards == (student.card, teacher.card)
    assert (cascade.runtime, cascade.device) == ("small + large", "cpu + cuda:0")
    teacher.device = "cpu"
    assert Cascade(student, teacher).device == "cpu"
    assert not cascade.remembers
    teacher.remembers = True
    assert Cascade(student, teacher).remembers


def test_a_model_that_does_not_tell_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^blobs is not a student: it never says"):
        Cascade(BlobModel(), CountingTeacher())


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (NullModel(), "its keypoints are k0, k1, k2, k3, and the student's k0, k1, k2; give the model that trained"),
        (CountingTeacher(individuals=("ann",)), "its individuals are ann, and the student's individual_1"),
        (CountingTeacher(unique_keypoints=("lever",)), "its unique keypoints are lever, and the student's none"),
        (CountingTeacher(multi_animal=True), "its kind of project are those of several animals"),
    ],
)
def test_a_teacher_with_other_poses_is_refused(teacher: PoseModel, message: str) -> None:
    with pytest.raises(UsageError, match=f"^(null|large) cannot answer for this student: {message}"):
        Cascade(BlobStudent(), teacher)


def test_a_teacher_of_other_dimensions_is_refused() -> None:
    teacher = CountingTeacher()
    teacher.dimensions = 3
    with pytest.raises(UsageError, match="its dimensions are 3, and the student's 2"):
        Cascade(BlobStudent(), teacher)


@pytest.mark.parametrize("limit", [0, -1, math.nan, math.inf, "1"])
def test_a_limit_that_is_no_number_above_0_is_refused(limit) -> None:
    with pytest.raises(UsageError, match=r"limit is .*; give a number above 0"):
        Cascade(BlobStudent(), CountingTeacher(), limit)


def test_errors_of_the_teacher_say_so() -> None:
    class Fixed(CountingTeacher):
        def predict(self, image, *, boxes=None):
            raise FrameError("this model's input is fixed to 64 x 64 pixels")

        def warmup(self, shape):
            self.predict(None)

    cascade = Cascade(BlobStudent(), Fixed())
    for call in (lambda: cascade.warmup((60, 80, 3)), lambda: cascade.predict(image(2))):
        with pytest.raises(FrameError, match=r"^the fallback, the student's teacher: this model's input is fixed"):
            call()


def test_the_statistics_are_those_since_the_last_reset() -> None:
    cascade = Cascade(BlobStudent(), CountingTeacher())
    assert math.isnan(cascade.statistics["teacher_p50_ms"])
    cascade.predict(image(0.5))
    cascade.predict(image(1.5))
    values = cascade.statistics
    assert (values["student_frames"], values["teacher_frames"]) == (1, 1)
    for name in ("p50_ms", "p99_ms", "max_ms"):
        assert values[f"student_{name}"] > 0
        assert values[f"teacher_{name}"] > 0
    cascade.reset()
    assert cascade.statistics["student_frames"] == 0
