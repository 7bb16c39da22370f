"""Several animals in several views: by name, or by geometry."""

import numpy as np
import pytest

from dlclive_core import ModelCard, Pose
from dlclive_core.testing import blob_skeleton
from dlclive_core.views.triangulating_model import TriangulatingModel
from dlclive_core.views.triangulation import Limits
from tests.views.scene import animal, cameras

SKELETON = blob_skeleton(6)


def model(count: int = 2, **limits) -> TriangulatingModel:
    calibration = cameras(count)
    card = ModelCard(net_type="points", skeleton=SKELETON)
    return TriangulatingModel(card, calibration.cameras, Limits(**limits), calibration.unit)


def mice(index: int, count: int) -> np.ndarray:
    """(N, K, 3) mm."""
    return np.stack([animal(index, phase=2 * np.pi * number / count) for number in range(count)])


def poses(used: TriangulatingModel, truth: np.ndarray, orders, *, ids=None, noise: float = 0.5) -> list[Pose]:
    """The pose of each view; `orders` gives the rows in which it has the animals."""
    random = np.random.default_rng(len(truth))
    found = []
    for camera, order in zip(used.cameras, orders, strict=True):
        pixels = camera.project(truth[list(order)]) + random.normal(0, noise, (len(order), len(SKELETON), 2))
        keypoints = np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 0.9)], axis=-1).astype(np.float32)
        names = None if ids is None else tuple(ids[row] for row in order)
        found.append(Pose(keypoints, SKELETON, ids=names))
    return found


def test_animals_with_names_are_matched_by_them() -> None:
    used, truth = model(), mice(3, 3)
    pose = used.locate(poses(used, truth, [(2, 0, 1), (1, 2)], ids=("anna", "ben", "cara")))
    assert pose.ids == ("cara", "anna", "ben")
    assert np.linalg.norm(pose.positions[[0, 2]] - truth[[2, 1]], axis=-1).max() < 4.0
    assert np.isnan(pose.positions[1]).all()  # only one camera saw anna
    assert used.counts["seen_by_too_few"] == 6
    assert pose.unit == "mm"


@pytest.mark.parametrize("count", [2, 3, 4])
def test_animals_without_names_are_matched_by_geometry(count: int) -> None:
    used = model(count)
    random = np.random.default_rng(5)
    right = total = 0
    for index in range(0, 120, 4):
        truth = mice(index, 3)
        orders = [tuple(range(3)), *(tuple(random.permutation(3)) for _ in range(count - 1))]
        pose = used.locate(poses(used, truth, orders))
        assert pose.ids is None
        total += 3
        if len(pose) == 3:
            right += int((np.nanmean(np.linalg.norm(pose.positions - truth, axis=-1), axis=1) < 4.0).sum())
    assert right >= 0.95 * total


def test_an_animal_that_one_camera_alone_sees_has_no_row() -> None:
    used, truth = model(), mice(10, 3)
    pose = used.locate(poses(used, truth, [(0, 1, 2), (2, 0)]))
    assert len(pose) == 2
    assert np.linalg.norm(pose.positions - truth[[0, 2]], axis=-1).max() < 4.0


def test_rows_without_a_confident_keypoint_are_no_animals() -> None:
    used, truth = model(), mice(10, 1)
    (left, right) = poses(used, truth, [(0,), (0,)])
    empty = Pose.missing(SKELETON, 2).keypoints
    padded = [Pose(np.concatenate([empty, view.keypoints]), SKELETON) for view in (left, right)]
    pose = used.locate(padded)
    assert len(pose) == 1
    assert np.linalg.norm(pose.positions - truth, axis=-1).max() < 4.0


def test_a_view_that_is_not_there_is_none() -> None:
    used, truth = model(3), mice(10, 1)
    left, _right, back = poses(used, truth, [(0,)] * 3)
    pose = used.locate([left, None, back])
    assert (pose.views == 2).all()
    assert len(used.locate([left, None, None])) == 1
    assert np.isnan(used.locate([left, None, None]).positions).all()


def test_keypoints_that_exist_once_are_located_too() -> None:
    used = model()
    used.card = used.card.with_(unique_keypoints=("lever",))
    lever = np.array([[50.0, -30.0, 5.0]])
    views = []
    for camera, view in zip(used.cameras, poses(used, mice(1, 1), [(0,), (0,)]), strict=True):
        pixels = np.concatenate([camera.project(lever), [[0.9]]], axis=1).astype(np.float32)
        views.append(Pose(view.keypoints, SKELETON, unique=pixels))
    pose = used.locate(views)
    assert pose.unique[0, :3] == pytest.approx(lever[0], abs=0.1)
    assert pose.unique[0, 3] == pytest.approx(0.9)
