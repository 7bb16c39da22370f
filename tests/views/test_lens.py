"""Lenses and projections, compared with OpenCV's."""

import numpy as np
import pytest

from dlclive_core import CalibratedCamera, DataError
from dlclive_core.views.camera import rotation_from_vector
from dlclive_core.views.lens import Lenses

VECTOR, SHIFT = np.array([0.1, -0.3, 0.2]), np.array([10.0, -20.0, 500.0])
MATRIX = np.array([[900, 0, 640.0], [0, 905, 500], [0, 0, 1]])
LENSES = {
    "none": ([], False),
    "four": ([-0.3, 0.1, 0.001, -0.002], False),
    "five": ([-0.3, 0.1, 0.001, -0.002, 0.01], False),
    "rational": ([0.5, -0.2, 0.001, 0.002, 0.05, 0.6, -0.1, 0.02], False),
    "fisheye": ([0.05, -0.01, 0.003, -0.001], True),
}


def lens_camera(name: str) -> CalibratedCamera:
    coefficients, fisheye = LENSES[name]
    return CalibratedCamera(
        name, (1280, 1024), MATRIX, np.array(coefficients), rotation_from_vector(VECTOR), SHIFT, fisheye
    )


@pytest.fixture(params=LENSES)
def camera(request) -> CalibratedCamera:
    return lens_camera(request.param)


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).uniform(-150, 150, (300, 3))


def test_projections_are_those_of_opencv(camera: CalibratedCamera, points: np.ndarray) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    project = cv2.fisheye.projectPoints if camera.fisheye else cv2.projectPoints
    distortion = camera.distortion if len(camera.distortion) else None
    theirs = project(points[:, None], VECTOR, SHIFT, MATRIX, distortion)[0][:, 0]
    assert np.abs(camera.project(points) - 0.5 - theirs).max() < 1e-6  # the centre of the first pixel is at 0.5 for us


def test_undistorted_points_are_those_of_opencv(camera: CalibratedCamera, points: np.ndarray) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    pixels = camera.project(points)
    distortion = camera.distortion if len(camera.distortion) else np.zeros(4)
    if camera.fisheye:
        theirs = cv2.fisheye.undistortPoints((pixels - 0.5)[:, None], MATRIX, distortion)[:, 0]
    else:
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-14)
        theirs = cv2.undistortPoints((pixels - 0.5)[:, None], MATRIX, distortion, criteria=stop)[:, 0]
    assert np.abs(camera.undistort(pixels) - theirs).max() < 1e-6


def test_undistortion_is_the_way_back(camera: CalibratedCamera, points: np.ndarray) -> None:
    inside = points @ camera.rotation.T + camera.translation
    assert np.abs(camera.undistort(camera.project(points)) - inside[:, :2] / inside[:, 2:]).max() < 1e-10


def test_derivatives_are_those_of_small_steps(camera: CalibratedCamera) -> None:
    x, y = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 1, 100))
    x[0, 0] = y[0, 0] = 0.0
    step = 1e-6
    bent, right, down = (camera.lens.bend(*at) for at in ((x, y), (x + step, y), (x, y + step)))
    for derivative, change in (
        (bent.dxx, right.x - bent.x),
        (bent.dxy, right.y - bent.y),
        (bent.dxy, down.x - bent.x),
        (bent.dyy, down.y - bent.y),
    ):
        assert np.abs(derivative - change / step).max() < 1e-5


def test_several_kinds_of_lens_at_once_give_what_each_gives() -> None:
    both = Lenses([LENSES["five"][0], LENSES["fisheye"][0]], [False, True])
    x, y = np.random.default_rng(2).uniform(-0.4, 0.4, (2, 2, 50))
    bent = both.bend(x, y)
    for row, name in enumerate(("five", "fisheye")):
        alone = lens_camera(name).lens.bend(x[row : row + 1], y[row : row + 1])
        assert np.array_equal(bent.x[row], alone.x[0])
        assert np.array_equal(bent.dxy[row], alone.dxy[0])
    back = both.straighten(bent.x, bent.y)
    assert np.abs(back[0] - x).max() < 1e-9


def test_a_pixel_that_no_ray_reaches_is_missing() -> None:
    camera = CalibratedCamera("strong", (1280, 1024), MATRIX, np.array([-0.5, 0, 0, 0.0]), np.eye(3), np.zeros(3))
    # x (1 - 0.5 x^2) has its largest value, 0.544, at x = 0.816: no ray goes further out than 900 * 0.544 px
    inside, outside = camera.undistort([[640.5 + 480, 500.5], [640.5 + 500, 500.5]])
    assert 0.5 < inside[0] < 0.816
    assert np.isnan(outside).all()
    assert np.isnan(camera.undistort([np.nan, 3.0])).all()


def test_a_point_behind_the_camera_has_no_projection() -> None:
    camera = CalibratedCamera("left", (1280, 1024), MATRIX, np.zeros(0), np.eye(3), np.zeros(3))
    assert np.isnan(camera.project([[0, 0, -5.0], [0, 0, 0]])).all()
    assert camera.project([0, 0, 5.0]).tolist() == [640.5, 500.5]


def test_a_camera_for_frames_of_another_size_sees_the_same() -> None:
    camera = lens_camera("five")
    half = camera.scaled_to((640, 512))
    points = np.random.default_rng(3).uniform(-100, 100, (20, 3))
    assert np.abs(half.project(points) * 2 - camera.project(points)).max() < 1e-9
    with pytest.raises(DataError, match=r"'five': it was calibrated for 1280x1024, and frames of 640x480 have another"):
        camera.scaled_to((640, 480))
