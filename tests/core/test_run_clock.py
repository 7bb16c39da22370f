"""What processors and sinks learn of a run's times."""

from __future__ import annotations

from dlclive_core import Estimate, Frame, Pose, Processor, RunInfo, Session, Sink
from dlclive_core.testing import BlobModel, BlobSource


class Nudge(Processor):
    """Moves the pose, and notes the time at which the model returned it."""

    def __init__(self) -> None:
        self.posed: list[float] = []

    def open(self, run: RunInfo) -> None:
        self.clock = run.clock

    def process(self, pose: Pose, frame: Frame) -> Pose:
        assert self.clock.posed_at <= self.clock.now()
        self.posed.append(self.clock.posed_at)
        return Pose(pose.keypoints + 1, pose.skeleton)


class Keep(Sink):
    """Keeps the estimates."""

    def __init__(self) -> None:
        self.estimates: list[Estimate] = []

    def write(self, estimate: Estimate) -> None:
        self.estimates.append(estimate)


def run(*processors: Processor) -> list[Estimate]:
    sink = Keep()
    Session(source=BlobSource(frames=5), model=BlobModel(), processors=processors, sinks=[sink]).run()
    return sink.estimates


def test_the_time_of_the_pose_is_the_same_for_all_processors_and_is_recorded() -> None:
    first, second = Nudge(), Nudge()
    estimates = run(first, second)
    assert len(estimates) == 5
    assert first.posed == second.posed == [estimate.inference_ended for estimate in estimates]


def test_sinks_get_the_pose_before_the_processors_too() -> None:
    for estimate in run(Nudge()):
        assert estimate.model_pose is not None
        assert (estimate.model_pose.keypoints + 1 == estimate.pose.keypoints).all()


def test_without_a_processor_that_changes_it_there_is_one_pose() -> None:
    assert all(estimate.model_pose is None for estimate in run(Processor()))
