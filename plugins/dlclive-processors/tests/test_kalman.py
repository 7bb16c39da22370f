"""The Kalman predictor against truth, and against a plain filter of one keypoint at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import pytest
from dlclive_processors import KalmanPredictor
from dlclive_processors.filters.motion import START_ACCELERATION, START_SPEED
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from dlclive_core import Frame, Pose, RunInfo, Skeleton, UsageError

Make = Callable[..., Pose]
MakeFrame = Callable[..., Frame]
NEVER = math.inf
"""The persistence with which a steady motion is predicted exactly."""


def plain_filter(
    times: list[float], xy: NDArray[np.float64], order: int, process: float, noise: float, tau: float, ahead: float
) -> NDArray[np.float64]:
    """One keypoint, x and y together in one state vector, matrices written out; NaN in `xy` is no measurement."""

    def last_column(t: float) -> NDArray[np.float64]:
        if math.isinf(tau):
            return np.array([t * t / 2, t, 1])[2 - order :]
        e = math.exp(-t / tau)
        return np.array([tau * t - tau * tau * (1 - e), tau * (1 - e), e])[2 - order :]

    def transition(t: float) -> NDArray[np.float64]:
        per_axis = np.array([[1, t, 0], [0, 1, 0], [0, 0, 1]])[: order + 1, : order + 1].astype(float)
        per_axis[:, -1] = last_column(t)
        return np.kron(per_axis, np.eye(2))

    def wander(t: float) -> NDArray[np.float64]:
        parts = 400  # the integral as a sum
        middles = (np.arange(parts) + 0.5) * t / parts
        columns = np.array([last_column(middle) for middle in middles])
        return process**2 * np.kron(columns.T @ columns * t / parts, np.eye(2))

    size = 2 * (order + 1)
    seeing = np.eye(2, size)
    spread = [noise, noise, START_SPEED, START_SPEED, START_ACCELERATION, START_ACCELERATION][:size]
    state, covariance = np.zeros(size), np.diag(np.square(spread))
    state[:2] = xy[0]
    result = [(transition(ahead) @ state)[:2]]
    for before, now, z in zip(times, times[1:], xy[1:], strict=False):
        f = transition(now - before)
        state, covariance = f @ state, f @ covariance @ f.T + wander(now - before)
        if np.isfinite(z).all():
            gain = covariance @ seeing.T @ np.linalg.inv(seeing @ covariance @ seeing.T + noise**2 * np.eye(2))
            state = state + gain @ (z - seeing @ state)
            covariance = (np.eye(size) - gain @ seeing) @ covariance
        result.append((transition(ahead) @ state)[:2])
    return np.array(result)


@pytest.mark.parametrize("order", ["velocity", "acceleration"])
@pytest.mark.parametrize(("clock", "tau"), [("device", NEVER), ("host", NEVER), ("device", 0.1)])
def test_every_keypoint_has_a_plain_kalman_filter(
    order: str, clock: str, tau: float, make_pose: Make, make_frame: MakeFrame, make_run: Callable[..., RunInfo]
) -> None:
    """Three animals, four keypoints, irregular times, a keypoint that is lost now and then: all equal to 1e-3 px."""
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.uniform(0.004, 0.05, 60)).tolist()
    truth = np.cumsum(rng.normal(0, 4, (60, 3, 4, 2)), axis=0) + 200
    confidence = np.where(rng.random((60, 3, 4)) < 0.8, 0.9, 0.2)
    confidence[0] = 0.9
    predictor = KalmanPredictor(
        order=order,  # type: ignore[arg-type]
        horizon=0.03,
        process_noise=800.0,
        measurement_noise=3.0,
        persistence=tau,
    )
    predictor.open(make_run(fps=None))
    result = []
    for number, now in enumerate(times):
        frame = make_frame(number, now) if clock == "device" else make_frame(number, captured_at=now)
        result.append(predictor.process(make_pose(truth[number], confidence[number]), frame).xy)
    predicted = np.stack(result)
    measured = np.where(confidence[..., None] > 0.5, truth.astype(np.float32).astype(np.float64), np.nan)
    for individual in range(3):
        for keypoint in range(4):
            expected = plain_filter(
                times, measured[:, individual, keypoint], 1 if order == "velocity" else 2, 800.0, 3.0, tau, 0.03
            )
            np.testing.assert_allclose(predicted[:, individual, keypoint], expected, atol=1e-3)


def test_constant_velocity_is_predicted_exactly(make_pose: Make, make_frame: MakeFrame) -> None:
    predictor = KalmanPredictor(horizon=0.1, persistence=NEVER)
    for number in range(200):
        pose = predictor.process(make_pose([[50 + 3 * number, 400 - number]]), make_frame(number, number * 0.01))
    np.testing.assert_allclose(pose.xy[0, 0], [50 + 3 * 209, 400 - 209], atol=0.05)


def test_constant_acceleration_is_predicted_exactly(make_pose: Make, make_frame: MakeFrame) -> None:
    """x = 400 t^2: only the order "acceleration" can look 0.1 s ahead of it."""
    error = {}
    for order in ("velocity", "acceleration"):
        predictor = KalmanPredictor(order=order, horizon=0.1, persistence=NEVER)  # type: ignore[arg-type]
        for number in range(200):
            pose = predictor.process(make_pose([[400 * (number * 0.01) ** 2, 0]]), make_frame(number, number * 0.01))
        error[order] = abs(float(pose.xy[0, 0, 0]) - 400 * 2.09**2)
    assert error["acceleration"] < 0.1
    assert error["velocity"] > 3


def test_a_prediction_does_not_run_on_for_ever(make_pose: Make, make_frame: MakeFrame) -> None:
    """A velocity v that is forgotten within tau leads v tau far at most; so far it leads, not less."""
    predictor = KalmanPredictor(horizon=10.0, max_gap=20.0, persistence=0.2)
    for number in range(200):
        pose = predictor.process(make_pose([[3 * number, 0]]), make_frame(number, number * 0.01))
    ahead = float(pose.xy[0, 0, 0]) - 3 * 199
    assert 0.8 * 300 * 0.2 < ahead < 300 * 0.2


def test_noise_shrinks_and_prediction_beats_none(make_pose: Make, make_frame: MakeFrame) -> None:
    """An animal on a wavy way at 100 frames per second, positions with 2 px of noise."""
    rng = np.random.default_rng(2)
    t = np.arange(1000) * 0.01

    def way(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([320 + 200 * np.sin(0.8 * seconds), 240 + 150 * np.sin(1.1 * seconds)], axis=-1)

    measured = way(t) + rng.normal(0, 2, (1000, 2))
    errors = {}
    for horizon in (0.0, 0.1):
        predictor = KalmanPredictor(horizon=horizon, process_noise=200.0)
        predicted = [predictor.process(make_pose([xy]), make_frame(n, t[n])).xy[0, 0] for n, xy in enumerate(measured)]
        errors[horizon] = np.sqrt(np.mean((np.array(predicted)[100:] - way(t + horizon)[100:]) ** 2))
    raw_now = np.sqrt(np.mean((measured[100:] - way(t)[100:]) ** 2))
    raw_ahead = np.sqrt(np.mean((measured[100:] - way(t + 0.1)[100:]) ** 2))
    assert errors[0.0] < 0.6 * raw_now
    assert errors[0.1] < 0.4 * raw_ahead


def test_a_live_frame_is_predicted_to_now(
    make_pose: Make, make_frame: MakeFrame, make_run: Callable[..., RunInfo]
) -> None:
    """The frame is as old as perf_counter says, whatever the processor is told about the camera's clock."""
    speed, horizon = 500.0, 0.02
    predictor = KalmanPredictor(horizon=horizon, persistence=NEVER)
    predictor.open(make_run(is_live=True))
    begin = time.perf_counter() - 1.05
    for number in range(101):
        at = number * 0.01
        before = time.perf_counter()
        pose = predictor.process(make_pose([[speed * at, 7]]), make_frame(number, 5e4 + at, begin + at))
        after = time.perf_counter()
    oldest, newest = before - begin + horizon, after - begin + horizon
    assert speed * oldest - 0.1 <= pose.xy[0, 0, 0] <= speed * newest + 0.1
    assert speed * oldest > speed * 1.0 + 30  # the prediction was worth testing


def test_a_recording_is_not_predicted_to_now(
    make_pose: Make, make_frame: MakeFrame, make_run: Callable[..., RunInfo]
) -> None:
    predictor = KalmanPredictor(persistence=NEVER)
    predictor.open(make_run(is_live=False))
    old = time.perf_counter() - 0.3
    for number in range(100):
        pose = predictor.process(make_pose([[5 * number, 7]]), make_frame(number, number * 0.01, old))
    assert pose.xy[0, 0, 0] == pytest.approx(5 * 99, abs=0.05)


def test_a_recording_without_timestamps_uses_its_rate(
    make_pose: Make, make_frame: MakeFrame, make_run: Callable[..., RunInfo]
) -> None:
    """Frames 3 apart at 100 per second, read in no time: the horizon of 0.1 s is ten frames of way."""
    predictor = KalmanPredictor(horizon=0.1, persistence=NEVER)
    predictor.open(make_run(fps=100.0))
    for number in range(0, 300, 3):
        pose = predictor.process(make_pose([[5 * number, 7]]), make_frame(number, None, 1.0 + number * 1e-5))
    assert pose.xy[0, 0, 0] == pytest.approx(5 * (297 + 10), abs=0.1)


def test_the_input_pose_is_not_changed(make_pose: Make, make_frame: MakeFrame) -> None:
    predictor = KalmanPredictor(horizon=0.1, persistence=NEVER)
    for number in range(5):
        given_pose = make_pose([[number, 0]])
        before = given_pose.keypoints.copy()
        given_pose.keypoints.setflags(write=False)
        result = predictor.process(given_pose, make_frame(number, number * 0.01))
        assert not np.shares_memory(result.keypoints, given_pose.keypoints)
        np.testing.assert_array_equal(given_pose.keypoints, before)
        assert result.keypoints.dtype == np.float32


def test_an_unseen_keypoint_is_predicted_then_missing_then_new(make_pose: Make, make_frame: MakeFrame) -> None:
    """Seen for 0.5 s at 100 px/s, lost for 0.3 s with max_gap 0.2, then back somewhere else."""
    predictor = KalmanPredictor(max_gap=0.2, persistence=NEVER)
    poses = []
    for number in range(100):
        lost = 50 <= number < 80
        position = [[float("nan"), 5]] if lost and number % 2 else [[300, 300]] if lost else [[number, 5]]
        position = [[600, 5]] if number >= 80 else position
        pose = predictor.process(make_pose(position, 0.1 if lost else 0.9), make_frame(number, number * 0.01))
        poses.append(pose.keypoints[0, 0])
    assert poses[60] == pytest.approx([60, 5, 0.1], abs=0.2)  # carried on, the low confidence kept
    assert poses[68] == pytest.approx([68, 5, 0.1], abs=0.2)
    assert np.isnan(poses[72][:2]).all()
    assert poses[72][2] == 0
    assert poses[80] == pytest.approx([600, 5, 0.9])  # a new track, not dragged along by the old one
    assert poses[82] == pytest.approx([600, 5, 0.9])  # not even by its speed


def test_positions_beyond_any_image_are_ignored(make_pose: Make, make_frame: MakeFrame) -> None:
    predictor = KalmanPredictor()
    predictor.process(make_pose([[10, 10]]), make_frame(0, 0.0))
    pose = predictor.process(make_pose([[1e30, 10]]), make_frame(1, 0.01))
    assert pose.xy[0, 0] == pytest.approx([10, 10])
    assert pose.confidence[0, 0] == 0  # the model's 0.9 was for a place where nothing is


@pytest.mark.parametrize("confidence", [0.2, 0.59, 0.9, float("nan"), float("inf"), -1.0])
def test_a_guess_has_no_confidence_that_a_trigger_would_take(
    confidence: float, make_pose: Make, make_frame: MakeFrame
) -> None:
    predictor = KalmanPredictor(min_confidence=0.6)
    predictor.process(make_pose([[10, 10]]), make_frame(0, 0.0))
    pose = predictor.process(make_pose([[float("nan"), 10]], confidence), make_frame(1, 0.01))
    assert np.isfinite(pose.xy).all()
    assert pose.confidence[0, 0] == pytest.approx(confidence if confidence < 0.6 else 0)


def test_the_horizon_counts_as_gap(make_pose: Make, make_frame: MakeFrame) -> None:
    predictor = KalmanPredictor(max_gap=0.2, horizon=0.15, persistence=NEVER)
    for number in range(20):
        predictor.process(make_pose([[number, 5]]), make_frame(number, number * 0.01))
    near = predictor.process(make_pose([[0, 0]], 0.0), make_frame(23, 0.23))
    far = predictor.process(make_pose([[0, 0]], 0.0), make_frame(26, 0.26))
    assert near.xy[0, 0, 0] == pytest.approx(23 + 15, abs=0.5)
    assert np.isnan(far.xy).all()


def test_the_first_frame_is_returned_unchanged(make_pose: Make, make_frame: MakeFrame) -> None:
    pose = KalmanPredictor(horizon=0.1).process(make_pose([[12, 34]]), make_frame(0, 0.0))
    np.testing.assert_array_equal(pose.keypoints, make_pose([[12, 34]]).keypoints)


def test_undetected_keypoints_stay_missing(make_frame: MakeFrame, make_pose: Make) -> None:
    predictor = KalmanPredictor()
    missing = Pose.missing(make_pose([[0, 0]]).skeleton, 2)
    result = predictor.process(missing, make_frame(0, 0.0))
    np.testing.assert_array_equal(result.keypoints, missing.keypoints)


def test_individuals_come_and_go_by_row(make_pose: Make, make_frame: MakeFrame) -> None:
    predictor = KalmanPredictor(horizon=0.1, persistence=NEVER)
    for number in range(50):
        both = [[2 * number, 10], [500 - number, 20]]
        pose = predictor.process(make_pose(both), make_frame(number, number * 0.01))
    empty = predictor.process(make_pose(np.empty((0, 2))), make_frame(50, 0.50))
    first_only = predictor.process(make_pose([[102, 10]]), make_frame(51, 0.51))
    back = predictor.process(make_pose([[104, 10], [448, 20], [7, 7]]), make_frame(52, 0.52))
    assert pose.xy[:, 0] == pytest.approx(np.array([[2 * 59, 10], [500 - 59, 20]]), abs=0.2)
    assert len(empty) == 0
    assert first_only.xy[0, 0] == pytest.approx([122, 10], abs=0.2)
    assert back.xy[:, 0] == pytest.approx(np.array([[124, 10], [438, 20], [7, 7]]), abs=0.2)


def test_individuals_are_followed_by_id(make_pose: Make, make_frame: MakeFrame) -> None:
    """The rows change places at every frame; the names do not."""
    predictor = KalmanPredictor(horizon=0.1, persistence=NEVER)
    for number in range(50):
        places, names = [[2 * number, 10], [500 - number, 20]], ("a", "b")
        if number % 2:
            places, names = places[::-1], names[::-1]
        pose = predictor.process(make_pose(places, ids=names), make_frame(number, number * 0.01))
    assert pose.ids == ("b", "a")
    assert pose.xy[:, 0] == pytest.approx(np.array([[500 - 59, 20], [2 * 59, 10]]), abs=0.2)


def test_memory_does_not_grow_with_identities(make_pose: Make, make_frame: MakeFrame) -> None:
    predictor = KalmanPredictor(max_gap=0.1)
    for number in range(1000):
        predictor.process(make_pose([[1, 1]], ids=(f"track {number}",)), make_frame(number, number * 0.01))
    assert len(predictor._memory) < 15


@pytest.mark.parametrize("live", [True, False])
def test_a_clock_that_goes_back_restarts_the_filter(
    live: bool, make_pose: Make, make_frame: MakeFrame, make_run: Callable[..., RunInfo]
) -> None:
    """A camera that was started again keeps its tracks by the host's clock; a recording wound back does not."""
    predictor = KalmanPredictor(horizon=0.1, persistence=NEVER)
    predictor.open(make_run(is_live=live))
    begin = time.perf_counter() + 100  # in the future, so that the age is 0 and the result exact
    for number in range(100):
        camera = number * 0.01 if number < 99 else 0.0
        pose = predictor.process(make_pose([[5 * number, 0]]), make_frame(number, camera, begin + number * 0.01))
    assert pose.xy[0, 0, 0] == pytest.approx(5 * 109 if live else 5 * 99, abs=0.1)


def test_the_same_moment_twice_is_two_measurements(make_pose: Make, make_frame: MakeFrame) -> None:
    predictor = KalmanPredictor()
    predictor.process(make_pose([[10, 0]]), make_frame(0, 0.0))
    pose = predictor.process(make_pose([[20, 0]]), make_frame(1, 0.0))
    assert pose.xy[0, 0, 0] == pytest.approx(15)


def test_a_new_run_resets_the_filter(make_pose: Make, make_frame: MakeFrame, make_run: Callable[..., RunInfo]) -> None:
    predictor = KalmanPredictor()
    results = []
    for _ in range(2):
        predictor.open(make_run())
        for number in range(10):
            pose = predictor.process(make_pose([[number**2, 0]]), make_frame(number, number * 0.01))
        predictor.close()
        predictor.close()
        results.append(pose.keypoints)
    np.testing.assert_array_equal(results[0], results[1])


def test_another_skeleton_resets_the_filter(make_pose: Make, make_frame: MakeFrame) -> None:
    predictor = KalmanPredictor()
    predictor.process(make_pose([[1, 2]]), make_frame(0, 0.0))
    other = Pose(np.array([[[5, 6, 0.9]]], dtype=np.float32), Skeleton(("paw",)))
    np.testing.assert_array_equal(predictor.process(other, make_frame(1, 0.01)).keypoints, other.keypoints)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "jerk"}, "order is 'jerk'; choose from velocity, acceleration"),
        ({"horizon": -0.1}, "horizon is -0.1; give a number at least 0"),
        ({"horizon": 0.6}, "max_gap is 0.5 s and horizon 0.6 s"),
        ({"process_noise": 0}, "process_noise is 0; give a number above 0"),
        ({"measurement_noise": float("nan")}, "measurement_noise is nan"),
        ({"min_confidence": 1.5}, "min_confidence is 1.5; give a number at least 0 and at most 1"),
        ({"max_gap": float("inf")}, "max_gap is inf"),
        ({"persistence": 0}, "persistence is 0; give a number at least 0.001"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        KalmanPredictor(**options)  # type: ignore[arg-type]
    assert message in str(caught.value)


steps = st.one_of(st.floats(-1, 1), st.sampled_from([0.0, 1e-9, 1e9, 1e300, float("nan"), float("inf")]))
poses = st.integers(0, 6).flatmap(lambda n: arrays(np.float32, (n, 4, 3)))


@settings(max_examples=300, deadline=None)
@given(
    frames=st.lists(st.tuples(steps, poses), min_size=1, max_size=8),
    order=st.sampled_from(["velocity", "acceleration"]),
)
def test_any_input_gives_a_valid_pose(frames: list[tuple[float, NDArray[np.float32]]], order: str) -> None:
    """Any numbers in any shape at any time: no exception, no warning, and every keypoint is whole or missing."""
    skeleton = Skeleton(("a", "b", "c", "d"))
    predictor = KalmanPredictor(order=order, horizon=0.05)  # type: ignore[arg-type]
    now = 0.0
    for number, (step, keypoints) in enumerate(frames):
        now += step if np.isfinite(step) else 0.0
        device = now if np.isfinite(step) else step
        frame = Frame(np.zeros((2, 2), np.uint8), number, number * 0.01, device)
        result = predictor.process(Pose(keypoints, skeleton), frame).keypoints
        assert result.shape == keypoints.shape
        missing = np.isnan(result[..., 0])
        np.testing.assert_array_equal(missing, np.isnan(result[..., 1]))
        assert np.isfinite(result[..., :2][~missing]).all()
        assert (result[..., 2][missing] == 0).all()
        assert not np.isnan(result[..., 2]).any()
