"""Poses of any kind: nothing raises, and what is missing is missing in the same way."""

import numpy as np
import pytest

from dlclive_core import EndOfStream, Frame, ModelCard, Pose, Pose3D, View
from dlclive_core.testing import blob_skeleton
from dlclive_core.views.triangulating_model import TriangulatingModel
from dlclive_core.views.triangulation import Limits
from dlclive_core.views.view_join import JoinOptions, ViewJoin
from tests.views.scene import cameras

SKELETON = blob_skeleton(5)


def any_pose(random: np.random.Generator) -> Pose:
    """A pose as a broken network could return it."""
    count = int(random.choice([0, 1, 1, 2, 3, 30]))
    keypoints = random.uniform(-100, 740, (count, 5, 3)).astype(np.float32)
    keypoints[..., 2] = random.uniform(-0.5, 1.5, (count, 5))
    for value in (np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0):
        keypoints[random.random(keypoints.shape) < 0.03] = value
    ids = None
    if random.random() < 0.3:
        ids = tuple(str(random.integers(0, 4)) for _ in range(count))
    return Pose(keypoints, SKELETON, ids=ids)


def check(pose: Pose3D) -> None:
    missing = np.isnan(pose.positions).any(axis=-1)
    assert np.isnan(pose.positions[missing]).all()
    assert (pose.confidence[missing] == 0).all()
    assert (pose.views[missing] == 0).all()
    assert np.isnan(pose.error[missing]).all()
    assert np.isfinite(pose.positions[~missing]).all()
    assert ((pose.confidence[~missing] > 0) & (pose.confidence[~missing] <= 1)).all()
    assert (pose.error[~missing] <= 10.0).all()
    assert (pose.views[~missing] >= 2).all()


@pytest.mark.parametrize("count", [2, 3, 4])
def test_any_poses_are_triangulated_without_an_error(count: int) -> None:
    random = np.random.default_rng(count)
    calibration = cameras(count)
    model = TriangulatingModel(ModelCard(net_type="any", skeleton=SKELETON), calibration.cameras, Limits(), "mm")
    for _ in range(150):
        views = [any_pose(random) if random.random() < 0.9 else None for _ in range(count)]
        check(model.locate(views))


@pytest.mark.parametrize("is_live", [False, True])
def test_any_poses_at_any_time_pass_the_join(is_live: bool) -> None:
    random = np.random.default_rng(7)
    calibration = cameras(3)
    model = TriangulatingModel(ModelCard(net_type="any", skeleton=SKELETON), calibration.cameras, Limits(), "mm")
    is_over = False
    join = ViewJoin(
        calibration.names,
        is_live=is_live,
        fps=lambda: 100.0,
        options=JoinOptions(wait=1e-4),
        is_over=lambda camera: is_over,
        is_read=lambda: True,
    )
    join.open()
    clocks, sets, received = np.zeros(3), 0, np.zeros(3, int)
    for step in range(1500):
        camera = step % 3 if random.random() < 0.97 else int(random.integers(3))
        clocks[camera] = (
            step // 3 / 100 if random.random() < 0.98 else clocks[camera] + random.choice([-3.0, -0.01, 5.0])
        )
        at = float(random.choice([np.nan, np.inf])) if random.random() < 0.01 else float(clocks[camera])
        frame = Frame(np.zeros((1, 1), np.uint8), step, float(step), None if random.random() < 0.1 else at)
        join.put(camera, View(join.cameras[camera], frame, any_pose(random)), at)
        received[camera] += 1
        while True:
            try:
                frame = join.read(0.0)
            except TimeoutError:
                break
            sets += 1
            check(model.predict_frame(frame, frame.image))
    is_over = True
    with pytest.raises(EndOfStream):
        while True:
            join.read(0.0)
            sets += 1
    join.close()
    assert sets > 100
    assert sets + join.skipped == join.pairing.accounts[0].paired
    for camera, account in enumerate(join.pairing.accounts):
        assert account.received == received[camera] == account.paired + sum(account.unpaired.values())
