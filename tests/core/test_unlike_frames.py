"""Sessions count the frames that are unlike what a student was trained on, and report who answered."""

from __future__ import annotations

import pytest

from dlclive_core import (
    Cascade,
    FollowingCrop,
    MemorySink,
    Pose,
    PoseModel,
    Processor,
    Session,
    UsageError,
)
from dlclive_core.testing import BlobModel, FailingModel
from tests.students import BlobStudent, CountingTeacher, MarkedSource


def run(model: PoseModel, *unlike: float, frames: int = 20, **options):
    session = Session(source=MarkedSource(*unlike, frames=frames), model=model, **options)
    return session.run()


def test_a_session_counts_frames_that_are_unlike_the_training() -> None:
    report = run(BlobStudent(), 0.5, 0.5, 1.5, 1.0)
    assert (report.processed, report.unlike) == (20, 5)
    events = [event.text for event in report.events if event.kind == "unlike"]
    assert events == ["frame 2 is unlike what the student was trained on: 1.5, where 1 is the limit"]
    assert report.model_statistics == {}
    assert report.to_dict()["unlike"] == 5


def test_a_model_that_does_not_tell_has_none() -> None:
    report = run(BlobModel(), 1.5)
    assert report.unlike == 0
    assert [event for event in report.events if event.kind == "unlike"] == []


@pytest.mark.parametrize("batch", [1, 3])
def test_a_session_reports_who_answered(batch: int) -> None:
    sink = MemorySink()
    report = run(Cascade(BlobStudent(), CountingTeacher()), 0.5, 1.5, frames=7, batch=batch, sinks=[sink])
    assert report.unlike == 3
    assert report.model_statistics["student_frames"] == 4, "the warm-up, or what fills up a batch, was counted"
    assert report.model_statistics["teacher_frames"] == 3
    assert [pose.unlike for pose in sink.poses] == [0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5]
    confidences = [float(pose.confidence.max()) for pose in sink.poses]
    assert confidences == [0.5, 1.0, 0.5, 1.0, 0.5, 1.0, 0.5]
    assert report.to_dict()["model_statistics"]["teacher_frames"] == 3


def test_the_models_pose_counts_and_not_what_processors_make_of_it() -> None:
    class Careless(Processor):
        def process(self, pose, frame):
            return Pose(pose.keypoints, pose.skeleton)

    assert run(BlobStudent(), 0.5, 1.5, processors=[Careless()]).unlike == 10


def test_each_run_counts_anew() -> None:
    cascade = Cascade(BlobStudent(), CountingTeacher())
    for _ in range(2):
        report = run(cascade, 0.5, 1.5, frames=4)
        assert report.unlike == 2
        assert report.model_statistics["teacher_frames"] == 2


def test_a_notice_of_the_model_is_an_event() -> None:
    model = BlobStudent()
    model.notices = ("trained by another",)
    assert [event.text for event in run(model, 0.5).events if event.kind == "model"] == ["trained by another"]


def test_an_error_of_the_teacher_ends_a_session_in_order() -> None:
    with pytest.raises(Exception, match="the model failed at frame 3: RuntimeError: the GPU fell off the bus"):
        run(Cascade(BlobStudent(), FailingModel(at=2)), 0.5, 0.5, 0.5, 1.5)


def test_statistics_that_cannot_be_read_do_not_cost_the_report() -> None:
    class Broken(BlobModel):
        @property
        def statistics(self):
            raise RuntimeError("no")

    report = run(Broken(), 0.5)
    assert report.processed == 20
    assert report.model_statistics == {}


def test_a_crop_that_follows_suits_both_models() -> None:
    """The teacher must not fail in the middle of a session because a crop is smaller than it takes."""
    teacher = CountingTeacher()
    teacher.card = teacher.card.with_(stride=64)
    cascade = Cascade(BlobStudent(), teacher)
    with pytest.raises(UsageError, match="window of 40 x 48 pixels is smaller than the model takes, which is 64 x 64"):
        Session(source=MarkedSource(0.5), model=cascade, regions=[FollowingCrop(window=(40, 48))])
    Session(source=MarkedSource(0.5), model=BlobStudent(), regions=[FollowingCrop(window=(40, 48))])
