"""Which frames of several cameras make a set, and what becomes of all others."""

import math

import numpy as np
import pytest

from dlclive_core import Frame, Pose, View
from dlclive_core.testing import blob_skeleton
from dlclive_core.views.pairing import Pairing

SKELETON = blob_skeleton(2)
IMAGE = np.zeros((1, 1), np.uint8)


def view(camera: int, number: int) -> View:
    return View(str(camera), Frame(IMAGE, number, 0.0), Pose.missing(SKELETON))


def numbers(found) -> list[tuple[int | None, ...]]:
    return [tuple(None if part is None else part.frame.index for part in views) for views in found]


def pairing(cameras: int = 2, *, tolerance: float = 0.004, min_views: int = 2, room: int = 64) -> Pairing:
    return Pairing(cameras, tolerance=tolerance, min_views=min_views, room=room)


def add(pairs: Pairing, camera: int, *times: float, due: float = math.inf) -> None:
    for at in times:
        pairs.add(camera, view(camera, round(at * 100)), at, due)


def check_accounts(pairs: Pairing) -> None:
    for camera, account in enumerate(pairs.accounts):
        total = account.paired + sum(account.unpaired.values()) + pairs.waiting(camera)
        assert account.received == total


def test_frames_of_one_moment_are_a_set_whatever_the_order_of_their_arrival() -> None:
    pairs = pairing()
    add(pairs, 0, 0.01, 0.02)
    assert pairs.sets() == []
    add(pairs, 1, 0.0102)
    assert numbers(pairs.sets()) == [(1, 1)]
    add(pairs, 1, 0.0199, 0.0301)
    assert numbers(pairs.sets()) == [(2, 2)]
    add(pairs, 0, 0.03)
    assert numbers(pairs.sets()) == [(3, 3)]
    check_accounts(pairs)


def test_a_frame_without_a_partner_is_counted_and_blocks_nothing() -> None:
    pairs = pairing()
    add(pairs, 0, 0.01, 0.02, 0.03)
    add(pairs, 1, 0.01, 0.03)
    assert numbers(pairs.sets()) == [(1, 1), (3, 3)]
    assert pairs.accounts[0].unpaired == {"alone": 1}
    add(pairs, 1, 0.04)
    add(pairs, 0, 0.05)
    add(pairs, 1, 0.05)
    assert numbers(pairs.sets()) == [(5, 5)]
    assert pairs.accounts[1].unpaired == {"alone": 1}
    check_accounts(pairs)


def test_the_nearest_of_several_frames_is_the_partner() -> None:
    pairs = pairing(tolerance=0.02)
    add(pairs, 1, 0.00, 0.01, 0.02)
    add(pairs, 0, 0.011)
    assert numbers(pairs.sets()) == [(1, 1)]
    assert pairs.accounts[1].unpaired == {"alone": 1}
    assert pairs.waiting(1) == 1


def test_how_far_off_the_nearest_frame_was_is_told() -> None:
    pairs = pairing()
    for at in np.arange(0.0, 1.0, 0.03):
        add(pairs, 0, at)
        add(pairs, 1, at + 0.012)
        pairs.sets()
    assert pairs.accounts[0].paired == 0
    assert pairs.accounts[1].off_by == pytest.approx(0.012)
    early = pairing()
    for at in np.arange(0.0, 1.0, 0.03):
        add(early, 1, at - 0.008)
        add(early, 0, at)
        early.sets()
    assert early.accounts[1].off_by == pytest.approx(-0.008)
    assert math.isnan(early.accounts[0].off_by)


def test_a_late_view_is_not_waited_for_beyond_its_time() -> None:
    pairs = pairing()
    add(pairs, 0, 0.01, due=5.0)
    assert pairs.next_due == 5.0
    assert pairs.sets(now=4.9) == []
    assert pairs.sets(now=5.0) == []
    assert pairs.accounts[0].unpaired == {"late": 1}
    check_accounts(pairs)


def test_with_three_cameras_a_set_of_two_goes_on_when_the_third_is_silent() -> None:
    pairs = pairing(3)
    for at in (0.01, 0.02):
        add(pairs, 0, at, due=5.0)
        add(pairs, 1, at)
    assert pairs.sets(now=4.0) == []
    assert numbers(pairs.sets(now=5.0)) == [(1, 1, None), (2, 2, None)]
    add(pairs, 0, 0.03, due=9.0)
    add(pairs, 1, 0.03)
    assert numbers(pairs.sets(now=6.0)) == [(3, 3, None)]  # it was waited for in vain, and is not again
    add(pairs, 2, 0.04)
    add(pairs, 0, 0.04, due=9.0)
    assert pairs.sets(now=6.0) == []  # heard of again: the second one is waited for as usual
    add(pairs, 1, 0.04)
    assert numbers(pairs.sets(now=6.0)) == [(4, 4, 4)]
    check_accounts(pairs)


def test_min_views_refuses_smaller_sets() -> None:
    pairs = pairing(3, min_views=3)
    for camera, times in enumerate(((0.01, 0.02), (0.01, 0.02), (0.02,))):
        add(pairs, camera, *times)
    assert numbers(pairs.sets()) == [(2, 2, 2)]
    assert pairs.accounts[0].unpaired == {"alone": 1}
    assert pairs.accounts[1].unpaired == {"alone": 1}
    check_accounts(pairs)


def test_when_a_recording_ends_the_frames_that_are_left_have_no_partner() -> None:
    pairs = pairing()
    add(pairs, 0, 0.01, 0.02, 0.03)
    add(pairs, 1, 0.01)
    assert numbers(pairs.sets()) == [(1, 1)]
    pairs.end(1)
    assert pairs.sets() == []
    assert pairs.accounts[0].unpaired == {"alone": 2}
    add(pairs, 1, 0.09)
    pairs.end(0)
    pairs.sets()
    assert pairs.accounts[1].unpaired == {"alone": 1}
    check_accounts(pairs)


def test_a_time_that_is_none_or_goes_back_is_out_of_order() -> None:
    pairs = pairing()
    for at in (0.01, math.nan, math.inf, 0.01, 0.005, 0.02):
        pairs.add(0, view(0, 0), at)
    assert pairs.accounts[0].unpaired == {"order": 4}
    assert pairs.waiting(0) == 2
    check_accounts(pairs)


def test_clocks_that_begin_anew_are_paired_again() -> None:
    pairs = pairing()
    add(pairs, 0, 100.0)
    add(pairs, 1, 100.0, 100.01)
    pairs.sets()
    add(pairs, 0, 0.01)
    add(pairs, 1, 0.01)
    assert numbers(pairs.sets()) == [(1, 1)]
    assert pairs.accounts[1].unpaired == {"order": 1}
    check_accounts(pairs)


def test_the_number_of_waiting_views_is_limited() -> None:
    pairs = pairing(room=3)
    add(pairs, 1, *np.arange(0.01, 0.1, 0.01))
    assert pairs.waiting(1) == 3
    assert pairs.accounts[1].unpaired["full"] == pairs.accounts[1].received - 3
    pairs.give_up()
    assert pairs.accounts[1].unpaired["left"] == 3
    check_accounts(pairs)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_arrives_every_view_is_accounted_for(seed: int) -> None:
    random = np.random.default_rng(seed)
    cameras = int(random.integers(2, 5))
    pairs = pairing(cameras, room=int(random.integers(1, 20)), min_views=int(random.integers(2, cameras + 1)))
    clocks, found = np.zeros(cameras), 0
    for step in range(2000):
        camera = int(random.integers(cameras))
        clocks[camera] += 0.01 * random.integers(1, 3) if random.random() < 0.99 else random.choice([-5.0, -0.01, 3.0])
        at = float(clocks[camera] + random.normal(0, 0.001))
        if random.random() < 0.01:
            at = float(random.choice([math.nan, math.inf, -math.inf]))
        due = step + float(random.integers(1, 50)) if random.random() < 0.8 else math.inf
        pairs.add(camera, view(camera, step), at, due)
        found += len(pairs.sets(now=step))
        if step == 1500 and seed % 2:
            pairs.end(int(random.integers(cameras)))
    check_accounts(pairs)
    pairs.give_up()
    check_accounts(pairs)
    assert pairs.accounts[0].paired == found
    assert all(pairs.waiting(camera) == 0 for camera in range(cameras))
