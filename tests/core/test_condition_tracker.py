"""Animals followed from frame to frame, with made-up poses: similarity by hand, then who comes, goes and is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dlclive_core.errors import UsageError
from dlclive_core.models.conditional.similarity import distinct, similarity
from dlclive_core.models.conditional.tracker import ConditionTracker
from dlclive_core.models.conditional.tracking_rules import TrackingRules

SHAPE = (400, 600, 3)
NAN = (np.nan, np.nan, 0)


def animal(x: float, y: float, confidence: float = 0.9) -> NDArray[np.float32]:
    """20 x 20 pixels, three keypoints."""
    return np.array([(x, y, confidence), (x + 20, y, confidence), (x, y + 20, confidence)], np.float32)


A, B, C = animal(100, 100), animal(200, 200), animal(300, 300)
D = animal(400, 100)


class Scene:
    """A tracker, and what it does in a frame, as the first x of each row; None for rows of nobody."""

    def __init__(self, **rules: Any) -> None:
        self.tracker = ConditionTracker(TrackingRules(**rules), 3, 3)
        self.searches = 0

    def frame(self, searched: Sequence[Any] = (), moves: dict[int, Any] | None = None) -> list[float | None]:
        """`searched` is what a search would find; the network finds each condition again but for `moves`, by row."""
        needs_search = self.tracker.needs_search()
        self.searches += needs_search
        poses = np.array(searched, np.float32).reshape(-1, 3, 3)
        self.conditions, self.rows = self.tracker.conditions(poses if needs_search else None)
        predicted = np.array(
            [(moves or {}).get(int(row), pose) for row, pose in zip(self.rows, self.conditions, strict=True)]
        )
        self.keypoints = self.tracker.update(predicted.reshape(-1, 3, 3), self.rows, SHAPE)
        assert self.keypoints.shape == (3, 3, 3)
        return [None if np.isnan(pose[:, 0]).all() else float(pose[0, 0]) for pose in self.keypoints]


def test_similarity_by_hand() -> None:
    reference = np.array([(0, 0), (10, 20)], float)
    pose = np.array([(3, 0), (10, 20)], float)
    size = 12 * 22
    assert similarity(reference, reference) == 1
    assert similarity(pose, reference) == pytest.approx((1 + np.exp(-9 / (8 * 0.01 * size))) / 2)
    half = np.array([(3, 0), (np.nan, np.nan)])
    assert similarity(half, reference) == pytest.approx(np.exp(-9 / (8 * 0.01 * size)) / 2)
    assert similarity(reference, half) == 0  # one keypoint has no size
    longer = np.vstack([reference, [(np.nan, np.nan)]])
    assert similarity(np.vstack([pose, [(5, 5)]]), longer) == similarity(pose, reference)


def test_distinct_keeps_the_first_of_similar_poses() -> None:
    """With equal confidences the third extent is the margin's 2: exp(-d^2 / (8 * 0.01 * 12 * 22 * 2)) is 0.91 at 2 px."""
    poses = [np.array([(x, 0, 0.9), (10 + x, 20, 0.9)]) for x in (0, 2, 2.5, 4)]
    assert similarity(poses[1], poses[0]) == pytest.approx(0.909648, abs=1e-6)
    assert distinct(np.array(poses), [0, 1], 0.9) == [0]
    assert distinct(np.array(poses), [1, 0], 0.9) == [1]
    assert distinct(np.array(poses), [0, 2], 0.9) == [0, 2]
    assert distinct(np.array(poses), [0, 1, 3], 0.9) == [0, 3]  # what is left out does not leave out others


def test_animals_keep_their_rows_while_they_move() -> None:
    scene = Scene()
    assert scene.frame([A, B, C]) == [100, 200, 300]
    for step in range(1, 20):
        there = {row: animal(x + 2 * step, 100 - step) for row, x in enumerate((100, 200, 300))}
        assert scene.frame(moves=there) == [100 + 2 * step, 200 + 2 * step, 300 + 2 * step]
    assert scene.searches == 1


def test_two_that_cross_do_not_change_rows() -> None:
    scene = Scene()
    scene.frame([animal(100, 100), animal(150, 103), C])
    for step in range(1, 11):  # they pass each other at 3 px, which is not yet one animal
        there = scene.frame(moves={0: animal(100 + 5 * step, 100), 1: animal(150 - 5 * step, 103)})
        assert there == [100 + 5 * step, 150 - 5 * step, 300]


def test_one_that_leaves_is_lost_and_its_row_is_free_for_one_that_comes() -> None:
    scene = Scene(search_lost_every=3)
    scene.frame([A, B, C])
    assert scene.frame(moves={1: animal(200, 200, 0.005)}) == [100, 200, 300]  # the network's last word on it
    assert scene.tracker.tracked.tolist() == [0, 2]
    assert scene.frame([A, D, C]) == [100, None, 300]  # asked in the first frame: not again before the fourth
    assert scene.searches == 1
    assert scene.frame([A, D, C]) == [100, 400, 300]
    assert (scene.searches, scene.rows.tolist()) == (2, [0, 1, 2])
    assert scene.frame([], {1: animal(402, 100)}) == [100, 402, 300]


@pytest.mark.parametrize(
    "gone",
    [
        animal(700, 500),  # outside
        np.array([(599.9, 200, 0.9), (600, 200, 0.9), (590, -0.1, 0.9)]),  # all but one
        np.array([(200, 200, 0.9), (220, 200, 0.01), (200, 220, 0.01)]),  # one sure keypoint
        np.array([NAN, NAN, NAN]),
    ],
)
def test_fewer_than_two_sure_keypoints_in_the_image_are_no_animal(gone: NDArray[np.float32]) -> None:
    scene = Scene()
    scene.frame([A, B])
    scene.frame(moves={1: gone})
    assert scene.frame() == [100, None, None]


def test_an_unsure_keypoint_is_no_condition_and_may_come_back() -> None:
    scene = Scene()
    scene.frame([A], {0: np.array([*A[:2], (100, 120, 0.005)])})
    assert scene.keypoints[0, 2].tolist() == pytest.approx([100, 120, 0.005])
    scene.frame(moves={0: A})
    np.testing.assert_array_equal(scene.conditions[0], np.array([*A[:2], NAN], np.float32))
    scene.frame()
    np.testing.assert_array_equal(scene.conditions[0], A)


def test_of_two_that_become_one_the_older_stays() -> None:
    scene = Scene(search_lost_every=None)
    scene.frame([A])
    scene.frame([A, B])
    assert scene.frame(moves={0: animal(199, 200), 1: B}) == [199, None, None]  # row 0 was there first
    assert scene.tracker.tracked.tolist() == [0]
    scene = Scene()
    scene.frame([A, B, C])
    assert scene.frame(moves={0: animal(199, 200)}) == [None, 200, 300]  # as old as each other: the later row


def test_a_row_that_is_taken_again_is_young() -> None:
    scene = Scene(search_lost_every=None)
    scene.frame([A, B])
    scene.frame(moves={0: animal(100, 100, 0)})
    assert scene.frame([B, C]) == [300, 200, None]
    assert scene.frame(moves={0: animal(201, 200)}) == [None, 200, None]


def test_a_search_adds_only_who_is_not_tracked() -> None:
    scene = Scene(search_lost_every=None)
    scene.frame([A, B])
    assert scene.frame([animal(104, 100, 0.3), B]) == [100, 200, None]  # both are there
    assert scene.frame([B, animal(104, 100), C, D]) == [
        100,
        200,
        400,
    ]  # one of two new ones has room: the least similar
    assert scene.searches == 3
    scene.frame([D])
    assert scene.searches == 3  # all are there


def test_how_near_a_new_animal_may_be() -> None:
    """exp(-d^2 / (8 * 0.01 * 22 * 22)) is 0.25 at 7.33 px."""
    for distance, rows in ((7.2, [100, None, None]), (7.5, [100, 107.5, None])):
        scene = Scene(search_lost_every=None)
        scene.frame([A])
        assert scene.frame([animal(100 + distance, 100)]) == rows


def test_unsure_keypoints_of_a_search_are_no_conditions_beside_tracked_animals() -> None:
    unsure = np.array([*C[:2], (300, 320, 0.005)], np.float32)
    scene = Scene(search_lost_every=None)
    scene.frame([A])
    scene.frame([unsure])
    np.testing.assert_array_equal(scene.conditions[1], np.array([*C[:2], NAN], np.float32))
    scene = Scene()
    scene.frame([unsure])
    np.testing.assert_array_equal(scene.conditions[0], unsure)  # the first ones are taken as they are


def test_poses_of_nothing_are_not_added() -> None:
    scene = Scene()
    assert scene.frame([[NAN, NAN, NAN], animal(50, 50, 0.04), A]) == [100, None, None]
    assert Scene().frame([]) == [None, None, None]


def test_when_the_bottom_up_model_is_asked() -> None:
    def searches(animals: Sequence[Any], frames: int = 7, **rules: Any) -> int:
        scene = Scene(**rules)
        for _ in range(frames):
            scene.frame(animals)
        return scene.searches

    assert searches([A, B, C]) == 1
    assert searches([A, B]) == 1  # not before 100 frames
    assert searches([A, B], search_lost_every=3) == 3  # frames 0, 3, 6
    assert searches([A, B], search_lost_every=None) == 7
    assert searches([A, B], search_lost_every=3, search_lost=False) == 1
    assert searches([A, B, C], search_every=2) == 4  # frames 0, 2, 4, 6
    assert searches([], search_lost=False) == 7  # as long as there is nobody
    assert searches([A, B], frames=102) == 2


def test_all_are_lost_and_come_back() -> None:
    scene = Scene(search_lost=False)
    scene.frame([A, B])
    scene.frame(moves={0: animal(0, 0, 0), 1: animal(0, 0, 0)})
    assert scene.frame([B]) == [200, None, None]
    scene.tracker.reset()
    assert scene.tracker.tracked.size == 0
    assert scene.frame([A, C]) == [100, 300, None]


def test_one_that_was_not_looked_for_is_lost() -> None:
    tracker = ConditionTracker(TrackingRules(), 3, 3)
    poses, rows = tracker.conditions(np.array([A, B]))
    keypoints = tracker.update(poses[1:], rows[1:], SHAPE)
    assert np.isnan(keypoints[0, :, 0]).all()
    assert keypoints[0, :, 2].tolist() == [0, 0, 0]
    assert tracker.tracked.tolist() == [1]


def test_without_a_search_nothing_is_looked_for() -> None:
    tracker = ConditionTracker(TrackingRules(), 3, 4)
    poses, rows = tracker.conditions()
    assert (poses.shape, rows.shape) == ((0, 4, 3), (0,))
    assert np.isnan(tracker.update(poses, rows, SHAPE)[..., 0]).all()


@pytest.mark.parametrize("rules", [{"search_every": 0}, {"search_lost_every": -1}, {"add_below": 1.5}])
def test_rules_that_are_none(rules: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(rules))):
        TrackingRules(**rules)
