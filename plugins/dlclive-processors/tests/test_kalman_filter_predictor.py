"""DeepLabCut-live's Kalman filter, written anew: the numbers of the published one, gaps, and several base classes.

The published numbers are those of deeplabcut-live 1.1.0; `tools/parity/processors.py` compares with the program itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from dlclive_processors import KalmanFilterPredictor
from dlclive_processors.deeplabcut_live import kalman_filter_predictor
from dlclive_processors.deeplabcut_live.processor import Processor

from dlclive_core import UsageError

Clock = Callable[[float], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the filter's wall clock."""

    class Time:
        now = 0.0

        def time(self) -> float:
            return self.now

    fixed = Time()
    monkeypatch.setattr(kalman_filter_predictor, "time", fixed)

    def set_to(now: float) -> None:
        fixed.now = now

    return set_to


def one(x: float, y: float = 50.0, likelihood: float = 0.9) -> np.ndarray:
    return np.array([[x, y, likelihood]])


PUBLISHED = {
    "default": ({}, [100.0, 102.1261962, 108.9802006, 119.3582616, 122.6002912]),
    "jump": (
        {"forward": 0.003, "priors": [1, 1], "initial_var": 1, "process_var": 1, "dlc_var": 4, "adapt": False},
        [100.0, 101.6899079, 107.3376716, 116.4353657, 120.5345202],
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_numbers_are_those_of_deeplabcut_live(name: str, clock: Clock) -> None:
    options, expected = PUBLISHED[name]
    predictor = KalmanFilterPredictor(**options)
    found = []
    for number, x in enumerate([100.0, 103.0, 109.0, 118.0, 121.0]):
        clock(1000 + 0.04 * number)
        found.append(predictor.process(one(x), frame_time=1000 + 0.04 * number - 0.01)[0, 0])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_an_unlikely_keypoint_keeps_its_prediction_and_a_missing_one_too(clock: Clock) -> None:
    for gap in (one(500, 500, 0.2), np.zeros((1, 3))):
        predictor = KalmanFilterPredictor(lik_thresh=0.5, adapt=False)
        for number in range(20):
            clock(1000 + number / 30)
            last = predictor.process(one(100 + 2 * number))
        clock(1000 + 20 / 30)
        filled = predictor.process(gap)
        assert abs(filled[0, 0] - (last[0, 0] + 2)) < 1
        assert abs(filled[0, 1] - 50) < 1
        assert filled[0, 2] == gap[0, 2]


def test_a_keypoint_that_comes_later_begins_where_it_is(clock: Clock) -> None:
    predictor = KalmanFilterPredictor(adapt=False)
    for number in range(3):
        clock(1000 + number / 30)
        pose = predictor.process(np.zeros((1, 3)))
        np.testing.assert_array_equal(pose, np.zeros((1, 3)))
    clock(1001)
    np.testing.assert_allclose(predictor.process(one(200))[0, :2], (200, 50))


def test_it_says_what_it_cannot_do(clock: Clock) -> None:
    with pytest.raises(UsageError, match="takes one animal"):
        KalmanFilterPredictor().process(np.zeros((2, 1, 3)), frame_time=0.0)
    with pytest.raises(UsageError, match="needs frame_time"):
        KalmanFilterPredictor().process(one(1))
    with pytest.raises(UsageError, match="priors has 1 variances; give 2"):
        KalmanFilterPredictor(priors=[10])
    with pytest.raises(UsageError, match="dlc_var is 0; give a number above 0"):
        KalmanFilterPredictor(dlc_var=0)


def test_a_class_may_have_it_and_another_processor_as_its_bases(clock: Clock) -> None:
    class Light(Processor):
        def __init__(self, com: str = "", **kwargs: object) -> None:
            super().__init__(**kwargs)
            self.com = com

    class Both(KalmanFilterPredictor, Light):
        def __init__(self, **kwargs: object) -> None:
            super().__init__(adapt=False, **kwargs)

    both = Both(com="COM3", unknown=1)
    assert (both.com, both.adapt) == ("COM3", False)
    np.testing.assert_array_equal(both.process(one(3)), one(3))


def test_random_poses_raise_nothing() -> None:
    random = np.random.default_rng(5)
    special = np.asarray([np.nan, np.inf, -np.inf, 0, 1e38], np.float32)
    predictor = KalmanFilterPredictor()
    for number in range(2000):
        pose = random.normal(100, 100, (4 if number < 1900 else 5, 3)).astype(np.float32)
        chosen = random.random(pose.shape) < 0.1
        pose[chosen] = random.choice(special, int(chosen.sum()))
        result = predictor.process(pose, frame_time=random.choice([0.0, time.time(), 1e12]))
        assert result.shape == pose.shape
