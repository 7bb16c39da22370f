"""The One-Euro filter against its authors' program, and what it is for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlclive_processors import OneEuro
from numpy.typing import NDArray
from OneEuroFilter import OneEuroFilter

from dlclive_core import Frame, Pose, UsageError

Make = Callable[..., Pose]
MakeFrame = Callable[..., Frame]


@pytest.mark.parametrize(
    ("min_cutoff", "beta", "d_cutoff"), [(1.0, 0.0, 1.0), (1.0, 0.05, 1.0), (0.3, 0.007, 5.0), (4.0, 2.0, 0.2)]
)
def test_every_coordinate_is_filtered_as_the_authors_do(
    min_cutoff: float, beta: float, d_cutoff: float, make_frame: MakeFrame
) -> None:
    """Two animals, three keypoints, irregular times, keypoints that are lost: equal to 1e-9 px."""
    rng = np.random.default_rng(1)
    times = 5.0 + np.cumsum(rng.uniform(0.002, 0.05, 200))  # from 5: theirs takes a time of 0 for none
    places = np.cumsum(rng.normal(0, 6, (200, 2, 3, 2)), axis=0) + 300
    seen = rng.random((200, 2, 3)) < 0.8
    seen[0] = True
    ours = OneEuro(min_cutoff=min_cutoff, beta=beta, d_cutoff=d_cutoff, max_gap=10.0)
    frames = [make_frame(number, time) for number, time in enumerate(times)]
    results = [
        ours.filter(range(2), xy, np.where(mask, 0.9, 0.1), frame)[0]
        for xy, mask, frame in zip(places, seen, frames, strict=True)
    ]
    for index in np.ndindex(2, 3, 2):
        theirs = OneEuroFilter(30.0, min_cutoff, beta, d_cutoff)
        for number, time in enumerate(times):
            if seen[(number, *index[:2])]:
                expected = theirs(places[(number, *index)], time)
            assert results[number][index] == pytest.approx(expected, abs=1e-9, rel=0)


def test_frames_with_the_same_time_count_as_one_interval(make_frame: MakeFrame) -> None:
    """As for the authors: a clock that stands still must not stop the filter."""
    times = [5.0, 5.02, 5.02, 5.02, 5.06]
    ours, theirs = OneEuro(beta=0.05), OneEuroFilter(30.0, 1.0, 0.05, 1.0)
    for number, time in enumerate(times):
        x = 10.0 * number
        place, _ = ours.filter((0,), np.full((1, 1, 1), x), np.ones((1, 1)), make_frame(number, time))
        assert place[0, 0, 0] == pytest.approx(theirs(x, time), abs=1e-9)


def run(processor: OneEuro, places: NDArray[np.float64], make_pose: Make, make_frame: MakeFrame) -> NDArray[np.float64]:
    """Positions of one keypoint at 100 frames per second."""
    poses = [processor.process(make_pose([xy]), make_frame(n, n * 0.01)) for n, xy in enumerate(places)]
    return np.stack([pose.xy[0, 0] for pose in poses]).astype(np.float64)


def test_a_still_animal_does_not_tremble_and_a_fast_one_is_not_late(make_pose: Make, make_frame: MakeFrame) -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 2, (500, 2))
    still = run(OneEuro(), noise + 100, make_pose, make_frame)
    assert np.std(still[100:]) < 0.5 * np.std(noise[100:])
    way = np.stack([6.0 * np.arange(500), np.zeros(500)], axis=1)  # 600 px/s
    late = {beta: way[-1, 0] - run(OneEuro(beta=beta), way, make_pose, make_frame)[-1, 0] for beta in (0.0, 0.05)}
    assert late[0.0] > 60
    assert 0 < late[0.05] < 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_cutoff": 0}, "min_cutoff is 0; give a number above 0"),
        ({"beta": -0.1}, "beta is -0.1; give a number at least 0"),
        ({"d_cutoff": float("nan")}, "d_cutoff is nan"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        OneEuro(**options)
    assert message in str(caught.value)
