"""Exponential smoothing: its formula, and that the frame rate does not matter."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from dlclive_processors import Exponential

from dlclive_core import Frame, Pose, UsageError

Make = Callable[..., Pose]
MakeFrame = Callable[..., Frame]


def test_a_step_is_followed_by_the_formula(make_pose: Make, make_frame: MakeFrame) -> None:
    smooth = Exponential(time_constant=0.05)
    smooth.process(make_pose([[0, 0]]), make_frame(0, 0.0))
    times = [0.01, 0.04, 0.05, 0.13, 0.2]
    for number, time in enumerate(times, 1):
        pose = smooth.process(make_pose([[100, -40]]), make_frame(number, time))
        share = 1 - math.exp(-time / 0.05)
        assert pose.xy[0, 0] == pytest.approx([100 * share, -40 * share], rel=1e-5)


@pytest.mark.parametrize("fps", [10, 30, 100, 1000])
def test_the_frame_rate_does_not_matter(fps: int, make_pose: Make, make_frame: MakeFrame) -> None:
    """0.2 s after a step, whatever the rate."""
    smooth = Exponential(time_constant=0.1)
    smooth.process(make_pose([[0, 0]]), make_frame(0, 0.0))
    for number in range(1, fps // 5 + 1):
        pose = smooth.process(make_pose([[100, 0]]), make_frame(number, number / fps))
    assert pose.xy[0, 0, 0] == pytest.approx(100 * (1 - math.exp(-2)), rel=1e-5)


def test_a_gap_counts_as_time(make_pose: Make, make_frame: MakeFrame) -> None:
    smooth = Exponential(time_constant=0.1)
    smooth.process(make_pose([[0, 0]]), make_frame(0, 0.0))
    smooth.process(make_pose([[50, 0]], 0.1), make_frame(1, 0.15))
    pose = smooth.process(make_pose([[100, 0]]), make_frame(2, 0.3))
    assert pose.xy[0, 0, 0] == pytest.approx(100 * (1 - math.exp(-3)), rel=1e-5)


def test_delay_and_noise_are_as_documented(make_pose: Make, make_frame: MakeFrame) -> None:
    """Steady motion is followed time_constant late; noise shrinks to sqrt(T / (2 time_constant))."""
    rng = np.random.default_rng(1)
    steady, noisy = Exponential(time_constant=0.1), Exponential(time_constant=0.1)
    values = []
    for number in range(2000):
        frame = make_frame(number, number * 0.002)
        late = 0.6 * number - steady.process(make_pose([[0.6 * number, 0]]), frame).xy[0, 0, 0]
        values.append(noisy.process(make_pose([rng.normal(0, 5, 2)]), frame).xy[0, 0])
    assert late == pytest.approx(300 * 0.1, rel=0.02)
    assert np.std(values[300:]) == pytest.approx(5 * math.sqrt(0.002 / 0.2), rel=0.2)


def test_an_invalid_option_is_refused() -> None:
    with pytest.raises(UsageError, match="time_constant is 0; give a number at least 1e-06"):
        Exponential(time_constant=0)
