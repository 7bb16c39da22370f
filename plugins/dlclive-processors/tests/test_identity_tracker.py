"""Identities: who gets one, who keeps it, who gets it back, and where it stands in the pose."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from dlclive_processors import IdentityTracker
from numpy.typing import NDArray

from dlclive_core import Frame, ModelCard, Pose, Processor, RunInfo, Skeleton, UsageError
from dlclive_core.testing import ProcessorContract

SKELETON = Skeleton(("snout", "left_ear", "right_ear", "tail_base"))
BODY = np.array([[40, 0], [24, -10], [24, 10], [-40, 0]], dtype=np.float64)  # px, heading right
IMAGE = np.zeros((2, 2, 3), dtype=np.uint8)
FPS = 30.0


def mouse(x: float, y: float, heading: float = 0.0) -> NDArray[np.float32]:
    """(K, 3) keypoints of a mouse."""
    turn = np.array([[math.cos(heading), math.sin(heading)], [-math.sin(heading), math.cos(heading)]])
    keypoints = np.full((len(BODY), 3), 0.9, np.float32)
    keypoints[:, :2] = BODY @ turn + (x, y)
    return keypoints


NOBODY = Pose.missing(SKELETON).keypoints[0]


class Filmed:
    """A tracker that is shown one frame after the other."""

    def __init__(self, run: RunInfo | None = None, **options: object) -> None:
        self.tracker = IdentityTracker(**options)  # type: ignore[arg-type]
        if run is not None:
            self.tracker.open(run)
        self.number, self.time = -1, 0.0

    def see(self, *animals: NDArray[np.float32], boxes: object = None, seconds: float = 1 / FPS) -> Pose:
        """Show a frame, a time after the last one."""
        self.number += 1
        self.time += seconds if self.number else 0.0
        keypoints = np.array(animals, np.float32).reshape(-1, len(BODY), 3)
        given = None if boxes is None else np.array(boxes, np.float32)
        frame = Frame(IMAGE, self.number, 1000 + self.time, self.time)
        return self.tracker.process(Pose(keypoints, SKELETON, boxes=given), frame)


def places(pose: Pose) -> dict[str, tuple[int, int]]:
    """Where the middle of each animal is that was seen."""
    assert pose.ids is not None
    middles = {name: rows[:, :2].mean(axis=0) for name, rows in zip(pose.ids, pose.keypoints, strict=True)}
    return {name: (round(float(x)), round(float(y))) for name, (x, y) in middles.items() if np.isfinite(x)}


@pytest.fixture
def make_project(make_run: Callable[..., RunInfo]) -> Callable[..., RunInfo]:
    def make(*individuals: str, identity: bool = False) -> RunInfo:
        card = ModelCard(
            net_type="paf", skeleton=SKELETON, individuals=individuals, multi_animal=True, identity=identity
        )
        return replace(make_run(), card=card)

    return make


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


# Names and rows


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


# Time and bounds


def test_a_recording_that_goes_back_begins_again() -> None:
    film = Filmed(min_frames=2, animals=1)
    for _ in range(5):
        film.see(mouse(100, 100))
    assert places(film.see(mouse(100, 100), seconds=-0.1)) == {}
    assert places(film.see(mouse(100, 100))) == {"track_1": (112, 100)}


def test_after_a_pause_of_the_recording_animals_are_found_again() -> None:
    """Two seconds without a frame: who is where is decided after min_frames, as for all that were lost."""
    film = Filmed(animals=2, max_gap=1)
    for _ in range(5):
        film.see(mouse(100, 100), mouse(500, 400))
    seen = [places(film.see(mouse(480, 380), mouse(130, 100), seconds=wait)) for wait in (2.0, 0.03, 0.03)]
    assert seen == [{}, {}, {"track_1": (142, 100), "track_2": (492, 380)}]


def test_a_second_run_begins_again(make_project: Callable[..., RunInfo]) -> None:
    tracker = IdentityTracker(min_frames=1)
    for _ in range(2):
        tracker.open(make_project("a", "b"))
        pose = tracker.process(Pose(mouse(100, 100)[None], SKELETON), Frame(IMAGE, 0, 0.0, 0.0))
        assert places(pose) == {"a": (112, 100)}
        tracker.close()
        assert tracker.statistics["identities"] == 1


def test_of_many_rows_the_strongest_are_looked_at() -> None:
    film = Filmed(animals=3, min_frames=1)
    crowd = [mouse(100 + 120 * n, 100) for n in range(30)]
    for place, keypoints in enumerate(crowd):
        keypoints[:, 2] = 0.65 if place not in (4, 11, 25) else 0.95
    film.see(crowd[4], crowd[11], crowd[25])
    pose = film.see(*crowd)
    assert places(pose) == {"track_1": (592, 100), "track_2": (1432, 100), "track_3": (3112, 100)}
    assert film.tracker.statistics["left_out"] == 3  # 6 of 30 were looked at


def test_memory_is_bounded_where_everything_is_new() -> None:
    """A thousand frames of animals that are never seen again."""
    film = Filmed(animals=0, min_frames=1, max_gap=0.2)
    for number in range(1000):
        film.see(*(mouse(3000 * number + 300 * n, 100) for n in range(10)))
    tracker = film.tracker
    assert len(tracker._tracks) <= 64 + 128
    assert len(tracker._identities._lost) <= 64
    assert tracker.statistics["identities"] > 1000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cost": "iou"}, "cost is 'iou'; choose from oks, box"),
        ({"animals": -1}, "animals is -1; give a number at least 0 and at most 1000"),
        ({"animals": 1.5}, "animals is 1.5; give a whole number of animals, 0 for any"),
        ({"sigma": 0}, "sigma is 0; give a number above 0 and at most 1"),
        ({"size": 0}, "size is 0; give a number at least 1"),
        ({"min_confidence": 2}, "min_confidence is 2; give a number at least 0 and at most 1"),
        ({"min_similarity": 0}, "min_similarity is 0; give a number above 0 and at most 1"),
        ({"duplicate_from": float("nan")}, "duplicate_from is nan"),
        ({"min_frames": 0}, "min_frames is 0; give a number at least 1"),
        ({"min_frames": True}, "min_frames is True"),
        ({"max_gap": 0}, "max_gap is 0; give a number above 0"),
        ({"process_noise": "fast"}, "process_noise is 'fast'; give a number above 0"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        IdentityTracker(**options)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


class TestIdentityTrackerKeepsTheContract(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return IdentityTracker()


class TestWithBoxesItKeepsTheContract(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return IdentityTracker(cost="box", animals=2, min_frames=1)


BAD = np.array([np.nan, np.inf, -np.inf, 0, 1e30, -1e30, 1e-30, 3e38, 1e6, -5, 0.5], np.float32)


@pytest.mark.parametrize("cost", ["oks", "box"])
@pytest.mark.parametrize("animals", [0, 3])
def test_any_numbers_give_a_valid_pose(cost: str, animals: int) -> None:
    """NaN, infinities, nobody, ten times the animals, time that stands still, jumps or goes back: nothing is raised.

    Every row of the result is a row of the input, or missing; no two have one name; there are never too many.
    """
    rng = np.random.default_rng(animals)
    skeleton = Skeleton(("a", "b", "c", "d"))
    tracker = IdentityTracker(cost=cost, animals=animals, min_frames=2)  # type: ignore[arg-type]
    now = 0.0
    for number in range(1500):
        count = int(rng.choice([0, 1, 2, 3, 5, 30, 200], p=[0.1, 0.1, 0.2, 0.4, 0.17, 0.02, 0.01]))
        keypoints = np.empty((count, 4, 3), np.float32)
        keypoints[..., :2] = 100 * np.arange(count)[:, None, None] + rng.normal(0, 20, (count, 4, 2))
        keypoints[..., 2] = rng.uniform(0.3, 1, (count, 4))
        harmed = rng.random(keypoints.shape) < rng.choice([0, 0.02, 0.3, 1.0], p=[0.5, 0.3, 0.15, 0.05])
        keypoints[harmed] = rng.choice(BAD, int(harmed.sum()))
        boxes = rng.choice(np.append(BAD, [50, 100, 200]), (count, 5)).astype(np.float32) if number % 3 else None
        now += float(rng.choice([1 / 30, 0, 1e-9, 2, 1e9, -1], p=[0.9, 0.04, 0.02, 0.02, 0.01, 0.01]))
        time = float(rng.choice([now, math.nan, math.inf], p=[0.98, 0.01, 0.01]))
        result = tracker.process(Pose(keypoints, skeleton, boxes=boxes), Frame(IMAGE, number, number / 30, time))
        assert result.ids is not None
        assert len(set(result.ids)) == len(result)
        assert len(result) == 3 if animals else len(result) <= 64
        rows = {row.tobytes() for row in keypoints} | {Pose.missing(skeleton).keypoints[0].tobytes()}
        assert all(row.tobytes() in rows for row in result.keypoints)
    assert tracker.statistics["identities"] >= 3
