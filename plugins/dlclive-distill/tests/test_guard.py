"""The guard of a student, and the damage that it is fitted to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from dlclive_distill.training.damage import Damaged, damage, mild, moved
from dlclive_distill.training.guard import Guard, pooled
from dlclive_distill.training.votes import Votes

CHANNELS, KEYPOINTS = 8, 3
MIRROR = (0, 2, 1)


def _read(count: int, *, strange: float, seed: int) -> tuple[torch.Tensor, Votes, torch.Tensor]:
    """Features and votes of frames that are `strange` standard deviations from the usual in one channel's maximum."""
    random = torch.Generator().manual_seed(seed)
    deep = torch.rand(count, CHANNELS, 4, 4, generator=random)
    deep[:, 2, 1, 1] += strange
    confidence = 0.8 + 0.1 * torch.rand(count, KEYPOINTS, generator=random)
    spread = 0.3 + 0.1 * torch.rand(count, KEYPOINTS, generator=random)
    return deep, Votes(torch.zeros(count, KEYPOINTS, 2), confidence, spread), torch.full((count,), 0.9)


def _fitted() -> Guard:
    guard = Guard(CHANNELS, KEYPOINTS)
    usual, strange, unseen = _read(200, strange=0, seed=1), _read(200, strange=2, seed=2), _read(400, strange=0, seed=3)
    guard.fit_distances(pooled(usual[0]))
    is_off = torch.tensor([False] * 200 + [True] * 200)
    guard.fit_score(torch.cat([guard.features(*usual), guard.features(*strange)]), is_off)
    guard.fit_limit(guard.features(*unseen), 0.95)
    return guard


def test_frames_on_which_the_student_is_off_are_marked_and_one_in_twenty_others() -> None:
    guard = _fitted()
    assert (guard(*_read(300, strange=2, seed=4)) > 1).float().mean() > 0.98
    marked = (guard(*_read(1000, strange=0, seed=5)) > 1).float().mean()
    assert 0.02 < marked < 0.09
    assert (guard(*_read(400, strange=0, seed=3)) > 1).sum() == 20  # those that the limit was fitted to


def test_what_is_far_beyond_everything_is_no_stranger_than_what_is_far() -> None:
    guard = _fitted()
    deep, votes, found = _read(1, strange=0, seed=6)
    far, farther = (guard.score(guard.features(factor * deep, votes, found)) for factor in (1e4, 1e6))
    assert torch.allclose(far, farther)
    assert torch.isfinite(guard(1e6 * deep, votes, found)).all()


def _frame() -> tuple[np.ndarray, np.ndarray]:
    frame = np.random.default_rng(0).integers(60, 90, (96, 128, 3)).astype(np.uint8)
    frame[40:46, 60:66] = 255
    return frame, np.array([[[63.0, 43.0, 1.0], [20.0, 30.0, 1.0], [100.0, 80.0, 1.0]]], np.float32)


def _brightest(damaged: Damaged) -> np.ndarray:
    rows, columns = np.nonzero(damaged.frame[..., 1] == 255)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


def test_a_moved_frame_has_its_keypoints_where_they_are() -> None:
    frame, keypoints = _frame()
    places = set()
    for seed in range(20):
        one = moved(frame, keypoints, np.random.default_rng(seed))
        np.testing.assert_array_equal(one.keypoints[0, 0, :2], _brightest(one))
        places.add(tuple(one.keypoints[0, 0, :2]))
    assert len(places) > 10


@pytest.mark.parametrize("change", [mild, lambda *frame: damage(frame[0], frame[1], MIRROR, frame[2])])
def test_damage_differs_keeps_its_input_and_says_where_the_keypoints_are(change: Callable[..., Damaged]) -> None:
    frame, keypoints = _frame()
    before, there = frame.copy(), keypoints.copy()
    made = [change(frame, keypoints, np.random.default_rng(seed)) for seed in range(120)]
    np.testing.assert_array_equal(frame, before)
    np.testing.assert_array_equal(keypoints, there)
    assert len({one.frame.tobytes() for one in made}) > 100
    for one in made:
        assert one.frame.shape == frame.shape
        assert one.frame.dtype == np.uint8
        x = float(one.keypoints[0, 0, 0])
        assert x in (63.0, 128 - 63.0)
        if x != 63.0:  # in a mirror, the second keypoint is where the third was
            np.testing.assert_array_equal(one.keypoints[0, 1], [128 - 100.0, 80.0, 1.0])


def test_mild_damage_mirrors_nothing_and_removes_nothing() -> None:
    frame, keypoints = _frame()
    made = [mild(frame, keypoints, np.random.default_rng(seed)) for seed in range(60)]
    assert not any(one.gone for one in made)
    assert all((one.keypoints == keypoints).all() for one in made)
    means = np.array([one.frame.mean() for one in made])
    assert (means < 0.7 * frame.mean()).any()
    assert (means > 1.3 * frame.mean()).any()


def test_all_ways_of_damage_occur() -> None:
    frame, keypoints = _frame()
    made = [damage(frame, keypoints, MIRROR, np.random.default_rng(seed)) for seed in range(200)]
    mirrored = sum(one.keypoints[0, 0, 0] != 63 for one in made)
    gone = sum(one.gone for one in made)
    assert 20 < mirrored < 80
    assert 5 < gone < 45
