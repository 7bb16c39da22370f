"""The law of motion against numbers worked out by hand, and against its own definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dlclive_processors.filters.motion import Motion

from dlclive_core import UsageError, check_number


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


@pytest.mark.parametrize("t", [1e-3, 0.04, 0.2, 3.0])
def test_noise_with_persistence_is_the_published_one(t: float) -> None:
    """The variance of a velocity that forgets itself (Johnson et al. 2008) and of an acceleration that does (Singer 1970)."""
    tau, q = 0.3, 9.0
    u, e = t / tau, np.exp(-t / tau)
    velocity = Motion("velocity", 3.0, 2.0, tau).noise(t)
    assert velocity[1, 1] == pytest.approx(q * tau / 2 * (1 - e**2))
    assert velocity[0, 1] == pytest.approx(q * tau**2 / 2 * (1 - e) ** 2)
    acceleration = Motion("acceleration", 3.0, 2.0, tau).noise(t)
    assert acceleration[2, 2] == pytest.approx(q * tau / 2 * (1 - e**2))
    assert acceleration[0, 2] == pytest.approx(q * tau**3 / 2 * (1 - e**2 - 2 * u * e), rel=1e-5)
    position = 1 - e**2 + 2 * u + 2 * u**3 / 3 - 2 * u**2 - 4 * u * e
    if t > 0.01:  # below, the published form loses all its digits
        assert acceleration[0, 0] == pytest.approx(q * tau**5 / 2 * position, rel=1e-5)


@pytest.mark.parametrize("t", [0.0, 1e-300, 1e-9, 0.01, 0.4, 50.0, 1e5])
@pytest.mark.parametrize("persistence", [math.inf, 0.05])
def test_noise_is_a_covariance_for_times_of_any_length(t: float, persistence: float) -> None:
    noise = Motion("acceleration", 3.0, 2.0, persistence).noise(t)
    assert np.isfinite(noise).all()
    np.testing.assert_allclose(noise, noise.T)
    assert np.linalg.eigvalsh(noise).min() >= -1e-12 * np.abs(noise).max()


@pytest.mark.parametrize("persistence", [math.inf, 0.1])
@pytest.mark.parametrize("order", ["velocity", "acceleration"])
def test_two_short_steps_are_one_long_step(order: str, persistence: float) -> None:
    """What makes irregular frame times harmless."""
    motion = Motion(order, 700.0, 2.0, persistence)  # type: ignore[arg-type]
    first, second, whole = 0.007, 0.033, 0.04
    f1, f2 = motion.transition(first), motion.transition(second)
    np.testing.assert_allclose(f2 @ f1, motion.transition(whole))
    np.testing.assert_allclose(f2 @ motion.noise(first) @ f2.T + motion.noise(second), motion.noise(whole))


@pytest.mark.parametrize("persistence", [math.inf, 0.4])
def test_noise_is_what_a_random_walk_of_the_velocity_gives(persistence: float) -> None:
    """Simulate what the noise stands for: the velocity takes a small random step at every moment, and forgets."""
    rng = np.random.default_rng(0)
    steps, t, spread = 200, 0.5, 30.0
    velocity, position = np.zeros(20_000), np.zeros(20_000)
    for _ in range(steps):
        velocity += rng.normal(0.0, spread * np.sqrt(t / steps), len(velocity)) - velocity * t / steps / persistence
        position += velocity * t / steps
    measured = np.cov(np.stack([position, velocity]))
    np.testing.assert_allclose(measured, Motion("velocity", spread, 2.0, persistence).noise(t), rtol=0.05)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1, "3", None, True])
def test_a_value_that_is_not_a_number_is_refused(bad: object) -> None:
    with pytest.raises(UsageError, match=r"^o is .*; give a number at least 0 and at most 1$"):
        check_number("o", bad, least=0, most=1)  # type: ignore[arg-type]
    assert check_number("o", 1, least=0, most=1) == 1.0
    with pytest.raises(UsageError, match="above 0"):
        check_number("o", 0, above=0)
