"""The running median against numpy's, its delay, and what it removes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from dlclive_processors import Median

from dlclive_core import Frame, Pose, UsageError

Make = Callable[..., Pose]
MakeFrame = Callable[..., Frame]


@pytest.mark.parametrize("window", [1, 2, 3, 5, 8])
def test_every_coordinate_is_numpys_median_of_the_window(window: int, make_pose: Make, make_frame: MakeFrame) -> None:
    """Two animals, four keypoints, some of them lost: NaN is ignored."""
    rng = np.random.default_rng(window)
    places = rng.uniform(0, 600, (80, 2, 4, 2)).astype(np.float32)
    seen = rng.random((80, 2, 4)) < 0.6
    median = Median(window=window, max_gap=10.0)
    measured = np.where(seen[..., None], places, np.nan)
    for number in range(80):
        pose = make_pose(places[number], np.where(seen[number], 0.9, 0.2))
        result = median.process(pose, make_frame(number, number * 0.01))
        for animal, keypoint in np.ndindex(2, 4):
            rows = measured[max(0, number - window + 1) : number + 1, animal, keypoint]
            rows = rows[np.isfinite(rows[:, 0])]
            expected = np.median(rows, axis=0) if len(rows) else [math.nan] * 2
            np.testing.assert_allclose(result.xy[animal, keypoint], expected, rtol=1e-6)


def test_steady_motion_is_followed_half_a_window_late(make_pose: Make, make_frame: MakeFrame) -> None:
    for window in (3, 5, 9):
        median = Median(window=window)
        for number in range(20):
            pose = median.process(make_pose([[4 * number, 0]]), make_frame(number, number * 0.01))
        assert 4 * 19 - pose.xy[0, 0, 0] == pytest.approx(4 * (window - 1) / 2)


def test_wrong_positions_shorter_than_half_a_window_leave_no_trace(make_pose: Make, make_frame: MakeFrame) -> None:
    median = Median(window=5)
    for number in range(40):
        place = [[500, 9]] if number % 10 in (6, 7) else [[20, 30]]
        pose = median.process(make_pose(place), make_frame(number, number * 0.01))
        assert pose.xy[0, 0] == pytest.approx([20, 30])


def test_an_individual_that_was_absent_does_not_mix_with_its_past(make_pose: Make, make_frame: MakeFrame) -> None:
    """Frames count, also those in which an animal was not in the pose."""
    median = Median(window=3, max_gap=10.0)
    for number in range(3):
        median.process(make_pose([[10, 10]], ids=("a",)), make_frame(number, number * 0.01))
    for number in range(3, 6):
        median.process(make_pose(np.empty((0, 2)), ids=()), make_frame(number, number * 0.01))
    pose = median.process(make_pose([[90, 90]], ids=("a",)), make_frame(6, 0.06))
    assert pose.xy[0, 0] == pytest.approx([90, 90])


@pytest.mark.parametrize(
    ("window", "message"),
    [(0, "give a number at least 1"), (2.5, "window is 2.5; give a whole number"), (10**9, "at most 1000")],
)
def test_invalid_windows_are_refused(window: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Median(window=window)  # type: ignore[arg-type]
