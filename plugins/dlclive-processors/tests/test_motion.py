"""The law of motion against numbers worked out by hand, and against its own definition."""

from __future__ import annotations

import numpy as np
import pytest
from dlclive_processors.checks import check_number
from dlclive_processors.motion import Motion

from dlclive_core import UsageError


def test_velocity_matrices_are_the_textbook_ones() -> None:
    motion, t, q = Motion("velocity", 3.0, 2.0), 0.2, 9.0
    np.testing.assert_allclose(motion.transition(t), [[1, t], [0, 1]])
    np.testing.assert_allclose(motion.noise(t), q * np.array([[t**3 / 3, t**2 / 2], [t**2 / 2, t]]))


def test_acceleration_matrices_are_the_textbook_ones() -> None:
    motion, t, q = Motion("acceleration", 3.0, 2.0), 0.2, 9.0
    np.testing.assert_allclose(motion.transition(t), [[1, t, t**2 / 2], [0, 1, t], [0, 0, 1]])
    expected = [
        [t**5 / 20, t**4 / 8, t**3 / 6],
        [t**4 / 8, t**3 / 3, t**2 / 2],
        [t**3 / 6, t**2 / 2, t],
    ]
    np.testing.assert_allclose(motion.noise(t), q * np.array(expected))


@pytest.mark.parametrize("order", ["velocity", "acceleration"])
def test_two_short_steps_are_one_long_step(order: str) -> None:
    """What makes irregular frame times harmless."""
    motion = Motion(order, 700.0, 2.0)  # type: ignore[arg-type]
    first, second, whole = 0.007, 0.033, 0.04
    f1, f2 = motion.transition(first), motion.transition(second)
    np.testing.assert_allclose(f2 @ f1, motion.transition(whole))
    np.testing.assert_allclose(f2 @ motion.noise(first) @ f2.T + motion.noise(second), motion.noise(whole))


def test_noise_is_what_a_random_walk_of_the_velocity_gives() -> None:
    """Simulate what the noise stands for: the velocity takes a small random step at every moment."""
    rng = np.random.default_rng(0)
    steps, t, spread = 200, 0.5, 30.0
    velocity = np.cumsum(rng.normal(0.0, spread * np.sqrt(t / steps), (20_000, steps)), axis=1)
    position = velocity.sum(axis=1) * t / steps
    measured = np.cov(np.stack([position, velocity[:, -1]]))
    np.testing.assert_allclose(measured, Motion("velocity", spread, 2.0).noise(t), rtol=0.05)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1, "3", None, True])
def test_a_value_that_is_not_a_number_is_refused(bad: object) -> None:
    with pytest.raises(UsageError, match=r"^o is .*; give a number at least 0 and at most 1$"):
        check_number("o", bad, least=0, most=1)  # type: ignore[arg-type]
    assert check_number("o", 1, least=0, most=1) == 1.0
    with pytest.raises(UsageError, match="above 0"):
        check_number("o", 0, above=0)
