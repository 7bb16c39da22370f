"""The tracker's times and limits: recordings that go back, wrong stamps, many rows, wrong options, strange numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from dlclive_processors import IdentityTracker

from dlclive_core import Frame, Pose, Processor, RunInfo, Skeleton, UsageError
from dlclive_core.testing import ProcessorContract
from tests.filmed_mice import FPS, IMAGE, SKELETON, Filmed, mouse, places


def test_a_recording_that_goes_back_begins_again() -> None:
    film = Filmed(min_frames=2, animals=1)
    for _ in range(5):
        film.see(mouse(100, 100))
    assert places(film.see(mouse(100, 100), seconds=-0.1)) == {}
    assert places(film.see(mouse(100, 100))) == {"track_1": (112, 100)}


def test_one_wrong_time_stamp_of_a_camera_changes_no_names(make_run: Callable[..., RunInfo]) -> None:
    """Not even one in the past: a live camera does not go back, so the stamp is wrong, and the animals are who they were."""
    run = make_run(is_live=True)
    for wrong in (-5.0, math.nan, math.inf):
        tracker = IdentityTracker(min_frames=2, animals=2)
        tracker.open(run)
        for number in range(12):
            at = run.started_clock + (wrong if number == 6 else number / FPS)
            rows = [mouse(100, 100), mouse(500, 400)]
            pose = tracker.process(Pose(np.array(rows[:: 1 if number < 6 else -1]), SKELETON), Frame(IMAGE, number, at))
            if number >= 2:
                assert places(pose) == {"track_1": (112, 100), "track_2": (512, 400)}, (wrong, number)
        assert tracker.statistics["identities"] == 2
        assert tracker.statistics["returned"] == 0


def test_after_a_stamp_from_the_future_animals_are_followed_again(make_run: Callable[..., RunInfo]) -> None:
    """It looks like a pause of an hour. The times go on with the second frame after it, and with them the animals' motion."""
    run = make_run(is_live=True)
    tracker = IdentityTracker(min_frames=2, animals=1)
    tracker.open(run)
    for number in range(30):
        at = run.started_clock + (3600 if number == 10 else number / FPS)
        pose = tracker.process(Pose(mouse(100 + 40 * number, 100)[None], SKELETON), Frame(IMAGE, number, at))
    assert places(pose) == {"track_1": (112 + 40 * 29, 100)}
    assert tracker._tracks.velocity[0].real == pytest.approx(40 * FPS, rel=0.05)


def test_after_a_pause_of_the_recording_animals_are_found_again() -> None:
    """Two seconds without a frame: who is where is decided after min_frames, as for all that were lost."""
    film = Filmed(animals=2, max_gap=1)
    for _ in range(5):
        film.see(mouse(100, 100), mouse(500, 400))
    seen = [places(film.see(mouse(480, 380), mouse(130, 100), seconds=wait)) for wait in (2.0, 0.03, 0.03)]
    assert seen == [{}, {}, {"track_1": (142, 100), "track_2": (492, 380)}]


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
