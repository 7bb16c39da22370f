"""Positions in space from two, three and four cameras, against the truth."""

import numpy as np
import pytest

from dlclive_core import CalibratedCamera
from dlclive_core.views.triangulation import Limits, Triangulation
from tests.views.scene import ARENA, animal, camera, cameras

FRAMES = 200


def seen(calibration, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(M, 3) true positions and (V, M, 2) pixels."""
    truth = np.concatenate([animal(index) for index in range(FRAMES)])
    pixels = np.stack([view.project(truth) for view in calibration.cameras])
    return truth, pixels + np.random.default_rng(seed).normal(0, noise, pixels.shape)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_without_noise_positions_are_exact(count: int) -> None:
    calibration = cameras(count)
    truth, pixels = seen(calibration, 0.0)
    points = Triangulation(calibration.cameras).locate(pixels, np.ones(pixels.shape[:2]))
    assert np.abs(points.positions - truth).max() < 1e-6
    assert points.error.max() < 1e-6
    assert (points.views == count).all()


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("fisheye", [False, True])
def test_with_half_a_pixel_of_noise_the_error_is_below_half_a_percent_of_the_arena(count: int, fisheye: bool) -> None:
    calibration = cameras(count, fisheye=True, lens=(0.05, -0.01, 0.003, -0.001)) if fisheye else cameras(count)
    truth, pixels = seen(calibration, 0.5)
    points = Triangulation(calibration.cameras).locate(pixels, np.ones(pixels.shape[:2]))
    reprojection = np.sqrt(np.square(points.error).mean())
    # As a vector: of 2V numbers with the noise's variance, 3 went into the position.
    assert reprojection == pytest.approx(0.5 * np.sqrt(2 - 3 / count), rel=0.05)
    projected = np.stack([view.project(points.positions) for view in calibration.cameras])
    per_coordinate = np.sqrt(np.square(projected - pixels).mean())
    assert per_coordinate == pytest.approx(0.5 * np.sqrt((2 * count - 3) / (2 * count)), rel=0.05)
    assert per_coordinate < 0.5  # the fit takes some of the noise up, whatever the number of cameras
    assert per_coordinate == pytest.approx(reprojection / np.sqrt(2))
    off = np.linalg.norm(points.positions - truth, axis=1)
    assert np.sqrt(np.square(off).mean()) < 0.005 * ARENA
    assert off.max() < 0.02 * ARENA


def test_the_refinement_finds_the_smallest_error_in_pixels() -> None:
    calibration = cameras(3)
    _, pixels = seen(calibration, 2.0)
    triangulation = Triangulation(calibration.cameras)
    points = triangulation.locate(pixels, np.ones(pixels.shape[:2]))
    best = np.square(points.error).sum()
    for axis in range(3):
        for step in (-0.05, 0.05):
            moved = points.positions.copy()
            moved[:, axis] += step
            misses = np.stack([view.project(moved) for view in calibration.cameras]) - pixels
            assert np.square(misses).sum(axis=-1).mean(axis=0).sum() > best


def test_a_view_that_contradicts_is_left_out() -> None:
    calibration = cameras(3)
    truth, pixels = seen(calibration, 0.5)
    wrong = np.random.default_rng(1).random(len(truth)) < 0.3
    which = np.random.default_rng(2).integers(0, 3, len(truth))
    pixels[which[wrong], np.flatnonzero(wrong)] += [80.0, -60.0]
    points = Triangulation(calibration.cameras).locate(pixels, np.ones(pixels.shape[:2]))
    off = np.linalg.norm(points.positions - truth, axis=1)
    assert np.isfinite(off).all()
    assert np.percentile(off[wrong], 95) < 0.01 * ARENA  # an error along the epipolar line of another camera can hide
    assert points.left_out == wrong.sum()
    assert (points.views == np.where(wrong, 2, 3)).all()


def test_of_four_views_the_three_that_agree_are_used() -> None:
    calibration = cameras(4)
    truth, pixels = seen(calibration, 0.5)
    pixels[3] += [40.0, 30.0]
    points = Triangulation(calibration.cameras).locate(pixels, np.ones(pixels.shape[:2]))
    assert (points.views == 3).mean() > 0.99
    assert np.sqrt(np.square(np.linalg.norm(points.positions - truth, axis=1)).mean()) < 0.005 * ARENA


def test_with_two_cameras_a_contradiction_is_a_missing_keypoint() -> None:
    calibration = cameras(2)
    _truth, pixels = seen(calibration, 0.5)
    pixels[1, :10, 1] += 100.0
    points = Triangulation(calibration.cameras).locate(pixels, np.ones(pixels.shape[:2]))
    assert np.isnan(points.positions[:10]).all()
    assert (points.confidence[:10] == 0).all()
    assert (points.views[:10] == 0).all()
    assert (points.few, points.off) == (0, 10)
    assert np.isfinite(points.positions[10:]).all()


def test_a_confident_view_counts_more() -> None:
    calibration = cameras(2)
    truth, pixels = seen(calibration, 0.0)
    pixels[1, :, 1] += 6.0
    equal = Triangulation(calibration.cameras).locate(pixels, np.ones(pixels.shape[:2]))
    confidence = np.stack([np.ones(len(truth)), np.full(len(truth), 0.61)])
    unequal = Triangulation(calibration.cameras).locate(pixels, confidence)
    first = calibration.cameras[0]
    misses = [np.linalg.norm(first.project(p.positions) - pixels[0], axis=1).mean() for p in (equal, unequal)]
    assert misses[1] < 0.6 * misses[0]
    assert unequal.confidence == pytest.approx(0.61)  # the lowest of the views used


def test_min_views_and_min_confidence() -> None:
    calibration = cameras(3)
    _truth, pixels = seen(calibration, 0.0)
    confidence = np.ones(pixels.shape[:2])
    confidence[2, :5], confidence[1:, 5:9] = 0.59, np.nan
    points = Triangulation(calibration.cameras).locate(pixels, confidence)
    assert points.views[:10].tolist() == [2] * 5 + [0] * 4 + [3]
    assert points.few == 4
    strict = Triangulation(calibration.cameras, Limits(min_views=3)).locate(pixels, confidence)
    assert strict.few == 9


def test_a_point_behind_the_cameras_is_missing() -> None:
    calibration = cameras(2)
    one, other = calibration.cameras
    behind = one.position + other.position
    assert all((view.rotation @ behind + view.translation)[2] < 0 for view in (one, other))
    pixels = []
    for view in (one, other):  # where its mirror image would be seen
        inside = view.rotation @ behind + view.translation
        pixels.append(view.project(view.rotation.T @ (-inside - view.translation)))
    points = Triangulation(calibration.cameras).locate(np.array(pixels)[:, None], np.ones((2, 1)))
    assert np.isnan(points.positions).all()
    assert points.off == 1


def test_parallel_rays_determine_nothing() -> None:
    one = camera("one", 0.0, lens=())
    one.translation + np.array([1e-4, 0, 0])
    there = CalibratedCamera(
        "two", one.size, one.matrix, one.distortion, one.rotation, one.translation + np.array([1e-4, 0, 0])
    )
    pixels = np.full((2, 1, 2), 300.0)
    points = Triangulation([one, there]).locate(pixels, np.ones((2, 1)))
    assert np.isnan(points.positions).all()
    assert points.off == 1


def test_no_points_are_no_points() -> None:
    points = Triangulation(cameras(3).cameras).locate(np.zeros((3, 0, 2)), np.zeros((3, 0)))
    assert points.positions.shape == (0, 3)
