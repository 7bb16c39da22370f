"""Rigs of calibrated cameras, end to end: rendered images, a model that finds the keypoints, poses in space."""

from dataclasses import replace

import numpy as np
import pytest

from dlclive_core import (
    DataError,
    Frame,
    FrameSet,
    MemorySink,
    MultiViewRig,
    PluginError,
    Pose,
    Pose3D,
    Processor,
    Session,
    Sink,
    SourceError,
    Tolerant,
    UsageError,
)
from dlclive_core.testing import BlobModel, BlobSource, FailingProcessor, FailingSource
from tests.students import BlobStudent
from tests.views.scene import ARENA, LiveViewSource, ViewSource, animal, cameras

SMALL = (320, 240)


class Sets(Sink):
    """Keeps the frames and poses."""

    dimensions = (3,)

    def __init__(self) -> None:
        self.frames: list[FrameSet] = []
        self.poses: list[Pose3D] = []

    def write(self, estimate) -> None:
        self.frames.append(estimate.frame)
        self.poses.append(estimate.pose)


class Height(Processor):
    """Notes the height of the first keypoint; works with both kinds of poses."""

    dimensions = (2, 3)

    def __init__(self) -> None:
        self.run = None
        self.heights: list[float] = []

    def open(self, run) -> None:
        self.run = run

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self.heights.append(float(pose.positions[0, 0, -1]))
        return pose


def sessions(calibration, *, frames: int = 40, models=None, source=ViewSource, **options) -> dict[str, Session]:
    shared = BlobModel(4)
    return {
        camera.name: Session(
            source=source(camera, frames=frames, **options.get(camera.name, {})),
            model=shared if models is None else models[number],
            name=camera.name,
        )
        for number, camera in enumerate(calibration.cameras)
    }


def account(report) -> dict[str, float]:
    return dict(report.processors[-1].statistics)


def check_accounts(rig: MultiViewRig) -> None:
    *views, joined = rig.reports
    for report in views:
        assert report.frames_read == report.processed + report.dropped
        assert sum(value for name, value in account(report).items() if "paired" in name) == report.processed
    assert joined.frames_read == joined.processed + joined.dropped


@pytest.mark.parametrize("own_models", [False, True])
@pytest.mark.parametrize("count", [2, 3])
def test_recordings_are_paired_without_loss_and_the_poses_are_those_of_the_animal(count: int, own_models: bool) -> None:
    calibration = cameras(count)
    sink = MemorySink()
    models = [BlobModel(4) for _ in range(count)] if own_models else None
    rig = MultiViewRig(calibration, sessions(calibration, models=models), sinks=[sink])
    reports = rig.run()
    assert [report.processed for report in reports] == [40] * (count + 1)
    assert all(report.complete for report in reports)
    assert sink.finished
    assert sink.indices == list(range(40))
    for index, pose in zip(sink.indices, sink.poses, strict=True):
        assert np.linalg.norm(pose.positions[0] - animal(index, 4), axis=1).max() < 0.005 * ARENA
        assert (pose.views == count).all()
        assert pose.unit == "mm"
    errors = np.concatenate([pose.error.ravel() for pose in sink.poses])
    assert np.sqrt(np.square(errors).mean()) < 0.5
    check_accounts(rig)
    assert account(reports[0]) == {"paired": 40}


def test_of_two_students_each_camera_counts_its_own_frames() -> None:
    class Lost(BlobStudent):
        def _mark(self, pose: Pose, image: np.ndarray) -> Pose:
            return replace(pose, unlike=1.5)

    calibration = cameras(2)
    sink = MemorySink()
    models = [Lost(keypoints=4), BlobStudent(keypoints=4)]
    rig = MultiViewRig(calibration, sessions(calibration, models=models, frames=10), sinks=[sink])
    left, right, joined = rig.run()
    assert (left.unlike, right.unlike, joined.unlike) == (10, 0, 0)
    assert {pose.unlike for pose in sink.poses} == {None}
    assert rig.session_3d.model.card.student is None


def test_frames_that_one_recording_lacks_are_counted() -> None:
    calibration = cameras(2)
    options = {"left": {"missing": (7,)}, "right": {"missing": (3, 4)}}
    sink = Sets()
    rig = MultiViewRig(calibration, sessions(calibration, **options), sinks=[sink])
    left, right, joined = rig.run()
    assert account(left) == {"paired": 37, "unpaired_alone": 2}
    assert account(right) == {"paired": 37, "unpaired_alone": 1, "off_by_s": pytest.approx(0.0, abs=1e-9)}
    assert joined.processed == 37
    assert [frame.index for frame in sink.frames] == [n for n in range(40) if n not in (3, 4, 7)]
    for frame in sink.frames:
        assert [view.camera for view in frame.views] == ["left", "right"]
        assert {view.frame.index for view in frame.views} == {frame.index}
        assert frame.captured_at == min(view.frame.captured_at for view in frame.views)
    check_accounts(rig)


def test_a_long_recording_does_not_run_away_from_a_slow_one() -> None:
    calibration = cameras(2, size=SMALL)
    slow = BlobModel(4, delay=0.01)
    waiting = []

    class Watch(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            waiting.append(rig._join.pairing.waiting(0))
            return pose

    views = sessions(calibration, frames=120, models=[BlobModel(4), slow])
    views["right"] = Session(source=ViewSource(calibration.cameras[1], frames=120), model=slow, processors=[Watch()])
    rig = MultiViewRig(calibration, views)
    reports = rig.run()
    assert [report.processed for report in reports] == [120] * 3
    assert 0 < max(waiting) < 60  # 32, and those that were decoded already
    check_accounts(rig)


@pytest.mark.parametrize("pair_by", ["time", "device", "number"])
@pytest.mark.parametrize("own_models", [False, True])
def test_live_cameras_are_paired(pair_by: str, own_models: bool) -> None:
    calibration = cameras(2, size=SMALL)
    start: list[float] = []
    sink = Sets()
    views = {
        camera.name: Session(
            source=LiveViewSource(camera, start, frames=60, rate=50.0, transport=0.004 * number),
            model=BlobModel(4) if own_models or not number else shared,
        )
        for number, camera in enumerate(calibration.cameras)
        for shared in [BlobModel(4)]
    }
    rig = MultiViewRig(calibration, views, sinks=[sink], pair_by=pair_by)
    left, _right, joined = rig.run()
    assert joined.processed > 5
    assert account(left)["paired"] == joined.frames_read + joined.skipped
    for frame, pose in zip(sink.frames, sink.poses, strict=True):
        assert len({view.frame.index for view in frame.views}) == 1
        truth = animal(frame.index % 10, 4)  # the live source repeats ten images
        assert np.linalg.norm(pose.positions[0] - truth, axis=1).max() < 0.02 * ARENA
    assert joined.stage("latency").count == joined.processed
    check_accounts(rig)


def test_an_offset_makes_up_for_a_camera_whose_clock_is_late() -> None:
    calibration = cameras(2, size=SMALL)
    options = {"right": {"late": 0.25}}
    rig = MultiViewRig(calibration, sessions(calibration, **options), tolerance=0.0049)
    assert rig.run()[-1].processed < 40
    late = {"right": {"late": 0.006}}
    rig = MultiViewRig(calibration, sessions(calibration, **late), tolerance=0.002)
    assert rig.run()[-1].processed == 0
    assert account(rig.reports[1])["off_by_s"] == pytest.approx(-0.004)  # frames every 10 ms: that of before is nearer
    rig = MultiViewRig(calibration, sessions(calibration, **options), offsets={"right": -0.25})
    assert rig.run()[-1].processed == 40
    by_number = MultiViewRig(calibration, sessions(calibration, **options), pair_by="number")
    assert by_number.run()[-1].processed == 40


def test_a_rig_runs_again() -> None:
    calibration = cameras(2, size=SMALL)
    rig = MultiViewRig(calibration, sessions(calibration, frames=10))
    for _ in range(2):
        assert [report.processed for report in rig.run()] == [10, 10, 10]
        check_accounts(rig)
    assert account(rig.reports[0]) == {"paired": 10}


def test_processors_of_poses_in_space_know_what_they_get() -> None:
    calibration = cameras(2)
    height = Height()
    rig = MultiViewRig(calibration, sessions(calibration, frames=10), processors=[height])
    rig.run()
    assert height.heights == pytest.approx([animal(index)[0, 2] for index in range(10)], abs=0.005 * ARENA)
    assert (height.run.dimensions, height.run.unit) == (3, "mm")
    assert height.run.source == "left + right"
    assert height.run.fps == 100.0


class Faulty(Height):
    def process(self, pose: Pose, frame: Frame) -> Pose:
        if frame.index == 5:
            raise ValueError("no laser on this port")
        return pose


@pytest.mark.parametrize("own_models", [False, True])
def test_an_error_of_a_processor_in_space_ends_the_rig(own_models: bool) -> None:
    calibration = cameras(2, size=SMALL)
    models = [BlobModel(4), BlobModel(4)] if own_models else None
    rig = MultiViewRig(calibration, sessions(calibration, frames=500, models=models), processors=[Faulty()])
    with pytest.raises(PluginError, match=r"processor Faulty failed at frame 5: ValueError: no laser on this port"):
        rig.run()
    assert rig.reports[-1].ending == "error"
    assert rig.reports[0].ending == "stopped"
    check_accounts(rig)
    tolerant = MultiViewRig(
        calibration, sessions(calibration, frames=20, models=models), processors=[Tolerant(Faulty(), "skip")]
    )
    assert tolerant.run()[-1].processed == 20


def test_an_error_of_a_camera_ends_the_rig() -> None:
    calibration = cameras(2, size=(160, 120))
    views = {
        "left": Session(source=FailingSource(at=5), model=BlobModel()),
        "right": Session(source=BlobSource(frames=500), model=BlobModel()),
    }
    rig = MultiViewRig(calibration, views)
    with pytest.raises(SourceError, match="the cable was pulled"):
        rig.run()
    assert [report.ending for report in rig.reports] == ["error", "stopped", "stopped"]
    check_accounts(rig)


def test_stop_ends_everything() -> None:
    calibration = cameras(2, size=SMALL)

    class Stopper(Height):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            if frame.index == 3:
                rig.stop()
            return pose

    rig = MultiViewRig(calibration, sessions(calibration, frames=1000), processors=[Stopper()])
    reports = rig.run()
    assert {report.ending for report in reports} == {"stopped"}
    assert reports[0].processed < 1000
    check_accounts(rig)


def test_frames_of_another_size_are_refused_or_scaled() -> None:
    calibration = cameras(2, size=(640, 480))
    half = {camera.name: camera.scaled_to((320, 240)) for camera in calibration.cameras}
    views = {name: Session(source=ViewSource(camera, frames=10), model=BlobModel(4)) for name, camera in half.items()}
    with pytest.raises(DataError, match=r"'left' is calibrated for 640x480, and its frames are 320x240; .* scale=True"):
        MultiViewRig(calibration, views).run()
    sink = MemorySink()
    MultiViewRig(calibration, views, scale=True, sinks=[sink]).run()
    for index, pose in zip(sink.indices, sink.poses, strict=True):
        assert np.linalg.norm(pose.positions[0] - animal(index, 4), axis=1).max() < 0.01 * ARENA


def test_what_cannot_work_is_refused_in_one_line() -> None:
    calibration = cameras(2, size=SMALL)
    left, right = calibration.cameras

    def views(**more) -> dict[str, Session]:
        return sessions(calibration, frames=3) | more

    class Flat(Sink):
        def write(self, estimate) -> None: ...

    class Solid(Height):
        dimensions = (3,)

    cases = [
        ({"sessions": {"left": views()["left"]}}, "needs two sessions by the names"),
        ({"sessions": {"left": views()["left"], "rigth": views()["right"]}}, "no camera 'rigth': did you mean 'right'"),
        ({"processors": [FailingProcessor()]}, "processor FailingProcessor takes poses in pixels, not in space"),
        ({"processors": [Tolerant(FailingProcessor())]}, "processor FailingProcessor takes poses in pixels"),
        ({"sinks": [Flat()]}, "sink Flat takes poses in pixels, not in space"),
        ({"pair_by": "frame"}, "pair_by is 'frame': choose from device, number, time"),
        ({"tolerance": 0.0}, "tolerance must be more than 0 seconds; got 0.0"),
        ({"wait": float("nan")}, "wait must be more than 0 seconds"),
        ({"min_views": 3}, "min_views is 3; give a whole number from 2 to 2"),
        ({"max_error": 0}, "max_error must be a number above 0 px"),
        ({"min_confidence": 0}, "min_confidence must be above 0"),
        ({"offsets": {"lft": 1.0}}, "offsets has a camera 'lft' that no session has: did you mean 'left'"),
        ({"offsets": {"left": float("inf")}}, "the offset of left is inf; give seconds"),
        (
            {"sessions": views(right=Session(source=ViewSource(right), model=BlobModel(3)))},
            "different keypoints: k0, k1",
        ),
        (
            {"sessions": views(right=Session(source=LiveViewSource(right, []), model=BlobModel(4)))},
            "some sources are live and others recordings",
        ),
        ({"calibration": "none.toml"}, "no such calibration file: none.toml"),
    ]
    for options, message in cases:
        options = {"calibration": calibration, "sessions": views()} | options
        with pytest.raises(UsageError) as error:
            MultiViewRig(**options)
        assert message in str(error.value)
        assert "\n" not in str(error.value)
    with pytest.raises(UsageError, match="processor Solid takes poses in space only: pass it to a MultiViewRig"):
        Session(source=ViewSource(left), model=BlobModel(4), processors=[Solid()])


def test_a_processor_that_returns_a_flat_pose_is_named() -> None:
    class Flattens(Height):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            return Pose(pose.keypoints[..., [0, 1, 3]], pose.skeleton)

    calibration = cameras(2, size=SMALL)
    rig = MultiViewRig(calibration, sessions(calibration, frames=3), processors=[Flattens()])
    with pytest.raises(PluginError, match="processor Flattens returned a pose of 2 dimensions at frame 0, not of 3"):
        rig.run()
