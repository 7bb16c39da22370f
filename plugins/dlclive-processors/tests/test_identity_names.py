"""The names of identities, and where they stand in the pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from dlclive_processors import IdentityTracker

from dlclive_core import Frame, ModelCard, Pose, RunInfo, UsageError
from tests.filmed_mice import IMAGE, NOBODY, SKELETON, Filmed, mouse, places


@pytest.fixture
def make_project(make_run: Callable[..., RunInfo]) -> Callable[..., RunInfo]:
    def make(*individuals: str, identity: bool = False) -> RunInfo:
        card = ModelCard(
            net_type="paf", skeleton=SKELETON, individuals=individuals, multi_animal=True, identity=identity
        )
        return replace(make_run(), card=card)

    return make


def test_identities_have_the_names_of_the_project(make_project: Callable[..., RunInfo]) -> None:
    film = Filmed(make_project("resident", "intruder"), min_frames=1)
    pose = film.see(mouse(100, 100))
    assert pose.ids == ("resident", "intruder")  # a row for each, from the first frame
    assert places(pose) == {"resident": (112, 100)}
    np.testing.assert_array_equal(pose.keypoints[1], NOBODY)
    other = Filmed(make_project("resident", "intruder", "third"), animals=2, min_frames=1)
    assert other.see().ids == ("track_1", "track_2")
    anybody = Filmed(make_project("resident", "intruder"), animals=0, min_frames=1)
    assert anybody.see(mouse(100, 100)).ids == ("track_1",)


def test_a_single_animal_project_says_nothing_about_the_number(make_run: Callable[..., RunInfo]) -> None:
    film = Filmed(make_run(individuals=("individual_1",)), min_frames=1)
    assert film.see(mouse(100, 100), mouse(300, 300)).ids == ("track_1", "track_2")


def test_a_model_with_an_identity_head_is_refused(make_project: Callable[..., RunInfo]) -> None:
    run = make_project("a", "b", identity=True)
    for refuse in (lambda: IdentityTracker().check(run.card), lambda: IdentityTracker().open(run)):
        with pytest.raises(UsageError, match="paf has an identity head, which names the animals already"):
            refuse()


def test_ids_of_the_input_are_replaced_and_the_rest_passes() -> None:
    unique = np.array([[1, 2, 0.5]], np.float32)
    keypoints = np.stack([mouse(100, 100), mouse(300, 300)])
    tracker = IdentityTracker(min_frames=1)
    given = Pose(keypoints, SKELETON, ids=("x", "x"), unique=unique)
    pose = tracker.process(given, Frame(IMAGE, 0, 0.0, 0.0))
    assert pose.ids == ("track_1", "track_2")
    np.testing.assert_array_equal(pose.unique, unique)
    np.testing.assert_array_equal(pose.keypoints, keypoints)


def test_a_second_run_begins_again(make_project: Callable[..., RunInfo]) -> None:
    tracker = IdentityTracker(min_frames=1)
    for _ in range(2):
        tracker.open(make_project("a", "b"))
        pose = tracker.process(Pose(mouse(100, 100)[None], SKELETON), Frame(IMAGE, 0, 0.0, 0.0))
        assert places(pose) == {"a": (112, 100)}
        tracker.close()
        assert tracker.statistics["identities"] == 1
