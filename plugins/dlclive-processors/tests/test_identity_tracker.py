"""Identities: who gets one, who keeps it, who gets it back."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.filmed_mice import NOBODY, Filmed, mouse, places

# Births


def test_an_animal_has_an_identity_after_min_frames() -> None:
    film = Filmed(min_frames=3)
    assert [len(film.see(mouse(100 + n, 100))) for n in range(4)] == [0, 0, 1, 1]
    assert film.tracker.statistics["left_out"] == 2


def test_a_flash_gets_no_identity() -> None:
    """Two frames, a gap, two frames: never three in a row."""
    film = Filmed(min_frames=3)
    for _ in range(5):
        for animals in ([mouse(100, 100)], [mouse(100, 100)], []):
            assert film.see(*animals).ids == ()
    assert film.tracker.statistics["identities"] == 0


def test_rows_of_absent_individuals_are_no_animals() -> None:
    film = Filmed(min_frames=1)
    for _ in range(3):
        pose = film.see(NOBODY, mouse(100, 100), NOBODY)
    assert places(pose) == {"track_1": (112, 100)}


def test_pieces_and_uncertain_rows_begin_nothing() -> None:
    piece, faint = mouse(100, 100), mouse(300, 300)
    piece[1:] = NOBODY[1:]  # one of four keypoints
    faint[:, 2] = 0.4
    film = Filmed(min_frames=1)
    for _ in range(5):
        assert film.see(piece, faint).ids == ()


def test_an_animal_that_is_known_is_followed_with_little_confidence() -> None:
    film = Filmed(min_frames=1)
    film.see(mouse(100, 100))
    faint = mouse(102, 100)
    faint[:, 2] = 0.2
    faint[1:3] = NOBODY[1:3]
    np.testing.assert_array_equal(film.see(faint).keypoints[0], faint)
    faint[:, 2] = 0.05  # less than a network reports in an empty image
    assert places(film.see(faint)) == {}


def test_a_sure_detection_goes_before_an_uncertain_one() -> None:
    """The uncertain one lies nearer, but may only have what the others leave."""
    film = Filmed(min_frames=1, duplicate_from=1.0)
    film.see(mouse(100, 100))
    faint = mouse(101, 100)
    faint[:, 2] = 0.3
    assert places(film.see(faint, mouse(108, 100))) == {"track_1": (120, 100)}


def test_an_animal_that_is_not_known_yet_must_be_seen_well_in_each_of_its_frames() -> None:
    film = Filmed(min_frames=3)
    faint = mouse(100, 100)
    faint[:, 2] = 0.4
    for animal in (mouse(100, 100), faint, mouse(100, 100), faint, faint):
        assert film.see(animal).ids == ()


def test_two_rows_on_one_animal_are_one() -> None:
    """Of two, the stronger remains; of a piece and the whole, the whole."""
    film = Filmed(min_frames=1)
    weaker, piece = mouse(101, 100), mouse(100, 101)
    weaker[:, 2] = 0.8
    piece[:2] = NOBODY[:2]
    for _ in range(5):
        pose = film.see(weaker, piece, mouse(100, 100))
    assert pose.ids == ("track_1",)
    np.testing.assert_array_equal(pose.keypoints[0], mouse(100, 100))
    assert film.tracker.statistics["duplicates"] == 10


# Following


def test_rows_in_any_order_keep_their_identities() -> None:
    rng = np.random.default_rng(0)
    film = Filmed()
    for number in range(100):
        animals = [mouse(100 + 3 * number, 100), mouse(500 - 2 * number, 200, math.pi), mouse(300, 400)]
        pose = film.see(*(animals[row] for row in rng.permutation(3)) if number else animals)
    assert places(pose) == {"track_1": (409, 100), "track_2": (290, 200), "track_3": (312, 400)}


@pytest.mark.parametrize("cost", ["oks", "box"])
@pytest.mark.parametrize("missing", [0, 6])
def test_identities_pass_through_a_crossing(cost: str, missing: int) -> None:
    """Two animals run over each other, head on; for some frames around the middle, one of them is not detected."""
    film = Filmed(cost=cost)
    for number in range(80):
        animals = [mouse(100 + 5 * number, 200), mouse(500 - 5 * number, 204, math.pi)]
        hidden = abs(number - 40) * 2 < missing
        pose = film.see(*(animals[:1] if hidden else animals[:: (-1) ** number]))
    assert places(pose) == {"track_1": (507, 200), "track_2": (93, 204)}


def test_at_a_low_rate_motion_leads_further_than_a_body() -> None:
    """At 5 frames per second, two animals of 80 px run 120 px from frame to frame, and pass each other."""
    film = Filmed(min_frames=1, animals=2)
    film.see(mouse(0, 100), mouse(960, 160, math.pi), seconds=0.2)
    film.see(mouse(40, 100), mouse(920, 160, math.pi), seconds=0.2)
    for x in (120, 240, 360, 480, 600, 720):
        pose = film.see(mouse(960 - x, 160, math.pi), mouse(x, 100), seconds=0.2)
    assert places(pose) == {"track_1": (732, 100), "track_2": (228, 160)}


def test_size_is_that_of_the_keypoints_or_the_option() -> None:
    """An animal that rested makes 40 px within 1/30 s: not unlikely for one of 100 px, impossible for one of 5 px."""
    for size, named in ((100.0, {"track_1": (152, 100)}), (5.0, {}), (None, {})):
        film = Filmed(size=size, min_frames=2, animals=1)
        for _ in range(60):
            film.see(mouse(100, 100))
        assert places(film.see(mouse(140, 100))) == named


def test_boxes_of_the_pose_are_used_and_stay_with_their_animal() -> None:
    film = Filmed(cost="box", animals=2, min_frames=1)
    piece = mouse(0, 0)
    for number in range(20):
        one, other = [10 + 4 * number, 10, 90 + 4 * number, 60, 0.9], [300, 10, 380, 60, 0.8]
        pose = film.see(piece, piece, boxes=[one, other] if number % 2 == 0 else [other, one])
    assert pose.boxes is not None
    np.testing.assert_array_equal(pose.boxes, np.array([one, other], np.float32))
    gone = film.see(piece, boxes=[other])
    assert gone.boxes is not None
    assert np.isnan(gone.boxes[0]).all()
    np.testing.assert_array_equal(gone.boxes[1], np.array(other, np.float32))


# Deaths and re-entry


def test_an_unseen_animal_keeps_its_row_for_max_gap() -> None:
    film = Filmed(max_gap=0.5, min_frames=1)
    film.see(mouse(100, 100), mouse(300, 300))
    counts = [len(film.see(mouse(300, 300))) for _ in range(30)]
    assert counts == [2] * 15 + [1] * 15
    assert film.see(mouse(300, 300)).ids == ("track_2",)


def test_a_known_number_of_animals_is_never_exceeded() -> None:
    film = Filmed(animals=2, min_frames=1)
    for _ in range(100):
        pose = film.see(*(mouse(100 + 150 * n, 100 + 100 * n) for n in range(4)))
        assert pose.ids == ("track_1", "track_2")
    assert places(pose) == {"track_1": (112, 100), "track_2": (262, 200)}


def test_an_animal_that_returns_anywhere_is_the_only_one_that_is_gone() -> None:
    """Within 0.2 s it cannot have run there, but there is nobody else; and then nobody is gone any more."""
    film = Filmed(animals=2, max_gap=0.1)
    for _ in range(10):
        film.see(mouse(100, 100), mouse(500, 400))
    for _ in range(4):
        film.see(mouse(500, 400))
    for _ in range(3):
        pose = film.see(mouse(500, 400), mouse(3000, 50))
    assert places(pose) == {"track_1": (3012, 50), "track_2": (512, 400)}
    assert film.tracker.statistics["returned"] == 1
    for _ in range(6):
        pose = film.see(mouse(800, 50), mouse(500, 400), mouse(3000, 50))
    assert places(pose) == {"track_1": (3012, 50), "track_2": (512, 400)}


def test_animals_that_return_are_those_nearest_in_place() -> None:
    film = Filmed(animals=2)
    for _ in range(10):
        film.see(mouse(100, 100), mouse(500, 400))
    for _ in range(60):
        film.see()
    for _ in range(3):
        pose = film.see(mouse(450, 330), mouse(180, 160))
    assert places(pose) == {"track_1": (192, 160), "track_2": (462, 330)}


def test_where_the_number_is_not_known_the_place_decides_who_returns() -> None:
    """A second later: somebody within reach is the lost animal, somebody far away is another one."""
    for x, name in ((500, "track_1"), (2000, "track_2")):
        film = Filmed(max_gap=0.5, animals=0)
        for _ in range(10):
            film.see(mouse(100, 100))
        for _ in range(30):
            film.see()
        for _ in range(3):
            pose = film.see(mouse(x, 100))
        assert places(pose) == {name: (x + 12, 100)}


def test_a_newcomer_far_away_is_not_the_animal_that_has_just_vanished() -> None:
    film = Filmed(animals=0)
    for _ in range(10):
        film.see(mouse(100, 100))
    for _ in range(10):
        pose = film.see(mouse(900, 100))
    assert pose.ids == ("track_1", "track_2")
    assert places(pose) == {"track_2": (912, 100)}


def test_a_false_detection_does_not_take_the_identity_of_an_animal_that_blinks() -> None:
    """All identities are in use, a third thing is near, and an animal is not detected in every third frame."""
    film = Filmed(animals=2)
    for number in range(90):
        blinking, other, thing = mouse(100, 100), mouse(500, 400), mouse(165, 100)
        if number < 5:
            pose = film.see(blinking, other)
        else:
            pose = film.see(thing, other) if number % 3 == 2 else film.see(thing, other, blinking)
        assert places(pose).get("track_1", (112, 100)) == (112, 100)
