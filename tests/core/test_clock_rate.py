"""How fast a camera's clock runs, from frames that jitter, stall and come in bursts."""

from collections.abc import Iterator

import numpy as np
import pytest

from dlclive_core import ClockRate


def frames(seconds: float, fps: float = 50.0, jitter: float = 0.0, scale: float = 1.0) -> Iterator[tuple[float, float]]:
    """(host, device) of each frame; they come in order."""
    random, host = np.random.default_rng(0), 0.0
    for number in range(int(seconds * fps)):
        host = max(host, 100 + number / fps + jitter * random.random())
        yield host, scale * number / fps


def judged(pairs: Iterator[tuple[float, float]]) -> ClockRate:
    clock = ClockRate()
    for host, device in pairs:
        clock.add(host, device)
    return clock


@pytest.mark.parametrize("scale", [0.001, 0.125, 21 / 25, 1.3, 1000.0])
def test_a_clock_in_another_unit_is_wrong(scale: float) -> None:
    soon, later = judged(frames(0.8, scale=scale)), judged(frames(5, scale=scale))
    assert (soon.is_right, soon.is_wrong) == (False, False)  # not used, but not certain enough to say so
    assert (later.is_right, later.is_wrong) == (False, True)
    assert later.rate == pytest.approx(scale)


@pytest.mark.parametrize(("fps", "jitter"), [(50.0, 0.0), (30.0, 0.02), (5.0, 0.05), (1000.0, 0.01)])
def test_a_right_clock_is_right_though_frames_jitter(fps: float, jitter: float) -> None:
    clock = judged(frames(20, fps, jitter))
    assert clock.is_right
    assert not clock.is_wrong


def test_nothing_is_known_at_first() -> None:
    clock = judged(frames(0.3))
    assert (clock.rate, clock.is_right, clock.is_wrong) == (None, None, False)


def test_a_stall_and_the_burst_after_it_are_not_another_clock() -> None:
    clock = ClockRate()
    for number in range(300):
        sent = number / 30
        came = max(sent, 6.0 + number / 3000) if 4.0 < sent < 6.0 else sent
        clock.add(came, sent)
        assert clock.is_right in (None, True)


def test_a_clock_that_is_set_anew_is_judged_anew() -> None:
    clock = judged(frames(5, scale=0.1))
    assert clock.is_wrong
    for host, device in frames(5):
        clock.add(host + 10, device)
    assert clock.is_right


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_time_is_left_out(bad: float) -> None:
    clock = judged(frames(5))
    clock.add(bad, 6.0)
    clock.add(106.0, bad)
    assert clock.is_right
