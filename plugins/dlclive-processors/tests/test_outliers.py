"""Keypoints that jump: held, without confidence, counted, and believed after a while."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlclive_processors import Outliers

from dlclive_core import Frame, Pose, RunInfo, UsageError

Make = Callable[..., Pose]
MakeFrame = Callable[..., Frame]


def test_a_single_jump_is_held_without_confidence_and_counted(make_pose: Make, make_frame: MakeFrame) -> None:
    outliers = Outliers(max_speed=500)
    results = []
    for number in range(20):
        place = [[500, 400]] if number == 10 else [[10 + 2 * number, 50]]
        results.append(outliers.process(make_pose(place), make_frame(number, number * 0.01)).keypoints[0, 0])
    assert results[10] == pytest.approx([10 + 2 * 9, 50, 0])  # where it was, and nothing that a trigger would act on
    for number in (*range(10), *range(11, 20)):
        assert results[number] == pytest.approx([10 + 2 * number, 50, 0.9])
    assert outliers.statistics == {"held": 4, "seen": 80}  # the pose has four keypoints


def test_reach_grows_with_time(make_pose: Make, make_frame: MakeFrame) -> None:
    """100 px/s and 5 px of tolerance: 15 px away is too far after 0.05 s, and near enough after 0.1 s."""
    outliers = Outliers(max_speed=100, tolerance=5)
    outliers.process(make_pose([[0, 0]]), make_frame(0, 0.0))
    early = outliers.process(make_pose([[14.9, 0]]), make_frame(1, 0.05))
    unseen = outliers.process(make_pose([[0, 0]], 0.1), make_frame(2, 0.08))
    late = outliers.process(make_pose([[14.9, 0]]), make_frame(3, 0.1))
    assert early.keypoints[0, 0] == pytest.approx([0, 0, 0])
    assert unseen.keypoints[0, 0] == pytest.approx([0, 0, 0.1])
    assert late.keypoints[0, 0] == pytest.approx([14.9, 0, 0.9])


def test_distance_is_along_all_coordinates(make_pose: Make, make_frame: MakeFrame) -> None:
    for place, held in (([29, 29], True), ([21, 21], False)):  # 41 and 29.7 px
        outliers = Outliers(max_speed=1000, tolerance=0)
        outliers.process(make_pose([[0, 0]]), make_frame(0, 0.0))
        pose = outliers.process(make_pose([place]), make_frame(1, 0.03))
        assert (pose.confidence[0, 0] == 0) == held


def test_a_real_jump_is_believed_after_a_gap(make_pose: Make, make_frame: MakeFrame) -> None:
    """An animal that was put back elsewhere: held for max_gap, then accepted with its own confidence."""
    outliers = Outliers(max_speed=200, max_gap=0.5)
    results = []
    for number in range(100):
        place = [[10, 10]] if number < 20 else [[600, 400]]
        results.append(outliers.process(make_pose(place), make_frame(number, number * 0.01)).keypoints[0, 0])
    accepted = [number for number, keypoint in enumerate(results) if keypoint[2] > 0.5]
    assert accepted == [*range(20), *range(70, 100)]  # last accepted at 0.19 s, so anew after 0.69 s
    assert results[69] == pytest.approx([10, 10, 0])
    assert results[70] == pytest.approx([600, 400, 0.9])


def test_starting_on_a_wrong_detection_lasts_no_longer_than_the_gap(make_pose: Make, make_frame: MakeFrame) -> None:
    outliers = Outliers(max_speed=200, max_gap=0.3)
    outliers.process(make_pose([[600, 400]]), make_frame(0, 0.0))
    for number in range(1, 40):
        pose = outliers.process(make_pose([[10, 10]]), make_frame(number, number * 0.01))
        assert (pose.confidence[0, 0] > 0.5) == (number * 0.01 > 0.3)


def test_noise_is_tolerated_at_any_rate(make_pose: Make, make_frame: MakeFrame) -> None:
    """At 1000 frames per second, 1 px of noise is 1400 px/s, and no animal."""
    rng = np.random.default_rng(1)
    outliers = Outliers(max_speed=500)
    for number in range(1000):
        outliers.process(make_pose([rng.normal(100, 1, 2)]), make_frame(number, number * 0.001))
    assert outliers.statistics["held"] == 0


def test_the_counts_are_those_of_one_run(
    make_pose: Make, make_frame: MakeFrame, make_run: Callable[..., RunInfo]
) -> None:
    outliers = Outliers(max_speed=200)
    for _ in range(2):
        outliers.open(make_run())
        for number in range(4):
            outliers.process(make_pose([[400 * (number % 2), 0]]), make_frame(number, number * 0.01))
        outliers.close()
        assert outliers.statistics == {"held": 8, "seen": 16}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_speed": 0}, "max_speed is 0; give a number above 0"),
        ({"max_speed": 9, "tolerance": -1}, "tolerance is -1; give a number at least 0"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Outliers(**options)
