"""A recorded run goes through processors as it did: the same calls, the recorded times, no output."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import (
    DryOutput,
    Frame,
    PluginError,
    Pose,
    Processor,
    Reason,
    RecordedFrame,
    RecordedRun,
    ReplayClock,
    RunClock,
    RunInfo,
    Session,
    Sink,
    TimesInOrder,
    Tolerant,
    UsageError,
    black_image,
    pose_digest,
    read_times,
    replay,
)
from dlclive_core.testing import BlobModel, LiveBlobSource, run_info


class Kept(RecordedRun, Sink):
    """A record in memory."""

    def __init__(self) -> None:
        self.kept: list[RecordedFrame] = []

    def open(self, run: RunInfo) -> None:
        self.run = run

    def write(self, estimate) -> None:
        pose = estimate.pose if estimate.model_pose is None else estimate.model_pose
        digest = pose_digest(estimate.pose)
        self.kept.append(RecordedFrame(estimate.frame, pose, estimate.inference_ended, digest))

    def frames(self) -> Iterator[RecordedFrame]:
        return iter(self.kept)


class Late(Processor):
    """Moves the pose by its age, and notes all that it is told."""

    replays = True

    def __init__(self) -> None:
        self.told: list[object] = []
        self.closed = 0

    def open(self, run: RunInfo) -> None:
        self.run = run

    def process(self, pose: Pose, frame: Frame) -> Pose:
        age = self.run.clock.posed_at - frame.captured_at
        self.told.append((frame.index, frame.captured_at, age))
        return Pose((pose.keypoints + age).astype(np.float32), pose.skeleton)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def live() -> tuple[Kept, Late]:
    kept, late = Kept(), Late()
    Session(source=LiveBlobSource(frames=60), model=BlobModel(), processors=[late], sinks=[kept]).run()
    assert kept.kept
    return kept, late


def test_processors_see_what_they_saw(live: tuple[Kept, Late]) -> None:
    kept, late = live
    again = Late()
    poses = [(recorded, pose) for recorded, pose in replay(kept, [again])]
    assert again.told == late.told
    assert all(pose_digest(pose) == recorded.digest for recorded, pose in poses)
    assert again.closed == 1
    assert again.run.is_live
    assert again.run.is_replay
    assert not late.run.is_replay
    assert again.run.progress is None


def test_now_is_the_recorded_moment(live: tuple[Kept, Late]) -> None:
    seen = []

    class Asking(Processor):
        replays = True

        def open(self, run: RunInfo) -> None:
            self.clock = run.clock
            seen.append(self.clock.now())

        def process(self, pose: Pose, frame: Frame) -> Pose:
            seen.append(self.clock.now())
            return pose

    list(replay(live[0], [Asking()]))
    assert seen == [live[0].run.started_clock, *(recorded.posed_at for recorded in live[0].kept)]


def test_a_processor_that_does_not_say_so_is_not_replayed(live: tuple[Kept, Late]) -> None:
    class Valve(Processor):
        def open(self, run: RunInfo) -> None:
            raise AssertionError("the valve is open")

        def process(self, pose: Pose, frame: Frame) -> Pose:
            return pose

    class Old:
        """In DeepLabCut-live's style."""

        def process(self, pose, **kwargs):
            return pose

    for processor in (Valve(), Tolerant(Valve()), Old(), Tolerant(Old())):
        with pytest.raises(UsageError, match="does not say that it can be replayed"):
            next(replay(live[0], [processor]))
    Old.replays = True
    assert next(replay(live[0], [Tolerant(Old())]))


def test_errors_are_those_of_a_session(live: tuple[Kept, Late]) -> None:
    class Broken(Late):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            raise ValueError("no such pose")

    before, broken = Late(), Broken()
    with pytest.raises(PluginError, match=r"processor Broken failed at frame \d+: ValueError: no such pose"):
        list(replay(live[0], [before, broken]))
    assert before.closed == broken.closed == 1
    tolerant = Tolerant(Broken(), "skip")
    assert len(list(replay(live[0], [tolerant]))) == len(live[0].kept) == tolerant.failures


def test_a_replay_that_is_left_closes_its_processors(live: tuple[Kept, Late]) -> None:
    late = Late()
    frames = replay(live[0], [late])
    next(frames)
    frames.close()
    assert late.closed == 1


def test_a_dry_output_follows_the_duration() -> None:
    clock = ReplayClock(10.0)
    output = DryOutput(clock, longest=0.5)
    output.open(10.0)
    assert not output.is_on
    output.renew(True, Reason.CONDITION, 1, 0.0)
    clock.posed_at = 10.4
    output.renew(True, Reason.CONDITION, 2, 0.0)
    assert output.is_on
    clock.posed_at = 10.5
    assert not output.is_on
    output.renew(True, Reason.CONDITION, 3, 0.0)
    assert not output.is_on, "one request, one pulse"
    output.renew(False, Reason.CONDITION, 4, 0.0)
    output.renew(True, Reason.CONDITION, 5, 0.0)
    assert output.is_on
    output.off(Reason.DISARMED)
    assert not output.is_on
    assert DryOutput(RunClock()).is_on is False


def test_a_black_image_has_its_shape_and_no_memory() -> None:
    image = black_image((1080, 1920, 3))
    assert (image.shape, image.dtype, image.base.nbytes) == ((1080, 1920, 3), np.uint8, 1)
    with pytest.raises(ValueError):
        image[0, 0, 0] = 1


def test_digests_tell_poses_apart_to_the_last_bit() -> None:
    skeleton = run_info().card.skeleton
    pose = Pose.missing(skeleton)
    keypoints = pose.keypoints.copy()
    keypoints[0, 0, 2] = -0.0
    unique, names = np.zeros((1, 3), np.float32), ("a",)
    poses = [
        pose, Pose(keypoints, skeleton), Pose.missing(skeleton, 2), Pose(pose.keypoints, skeleton, ids=names),
        Pose(pose.keypoints, skeleton, unique=unique), Pose(pose.keypoints, skeleton, ids=names, unique=unique),
    ]  # fmt: skip
    assert len({pose_digest(one) for one in poses}) == len(poses)
    assert pose_digest(pose) == pose_digest(Pose.missing(skeleton))


def test_times_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "frame,captured_at_s,device_time_s,wall_time,inference_ms,latency_ms\n"
        "0,0.1,,2026-03-05T12:00:00,1.5,2.5\n4,0.30000000000000004,17.25,2026-03-05T12:00:00,1.5,nan\n7,0.5"
    )
    first, second = read_times(path)
    assert (first.index, first.captured_at, first.device_time, first.latency) == (0, 0.1, None, 0.0025)
    assert (second.index, second.captured_at, second.device_time, second.latency) == (4, 0.1 + 0.2, 17.25, None)
    times = TimesInOrder(read_times(path))
    assert [time and time.index for time in map(times.of, (0, 1, 4, 5))] == [0, None, 4, None]
    assert math.isfinite(second.captured_at)
