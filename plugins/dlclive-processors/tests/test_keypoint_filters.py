"""What every filter of keypoints does alike: who is who, gaps, times, memory. Each promise is tried with each filter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from dlclive_processors import Exponential, KalmanPredictor, Median, OneEuro, Outliers
from dlclive_processors.filters.keypoint_filter import KeypointFilter
from dlclive_processors.filters.memory import MOST_ABSENT

from dlclive_core import Frame, Pose, Processor, RunInfo, UsageError
from dlclive_core.testing import ProcessorContract

Make = Callable[..., Pose]
MakeFrame = Callable[..., Frame]

FILTERS: dict[str, Callable[..., KeypointFilter]] = {
    "exponential": Exponential,
    "kalman": KalmanPredictor,
    "median": Median,
    "one-euro": OneEuro,
    "outliers": lambda **options: Outliers(max_speed=3000.0, **options),
}
HOLDING = [name for name in FILTERS if name != "kalman"]
"""The filters that keep an unseen keypoint where it was."""


@pytest.fixture(params=FILTERS)
def make_filter(request: pytest.FixtureRequest) -> Callable[..., KeypointFilter]:
    return FILTERS[request.param]


class TestEveryFilterKeepsTheContract(ProcessorContract):
    @pytest.fixture(params=FILTERS)
    def processor(self, request: pytest.FixtureRequest) -> Processor:
        return FILTERS[request.param]()


@pytest.mark.parametrize("live", [False, True])
def test_any_pose_at_any_time_gives_a_valid_pose(
    live: bool,
    make_filter: Callable[..., KeypointFilter],
    make_run: Callable[..., RunInfo],
    hostile_poses: Callable[..., Iterator[tuple[Pose, Frame]]],
) -> None:
    """Nothing is raised, no number overflows (warnings are errors), and nobody becomes confident."""
    processor = make_filter()
    processor.open(make_run(is_live=live))
    for pose, frame in hostile_poses(1500, seed=live):
        result = processor.process(pose, frame)
        assert result.keypoints.shape == pose.keypoints.shape
        missing = np.isnan(result.xy[..., 0])
        np.testing.assert_array_equal(missing, np.isnan(result.xy[..., 1]))
        assert np.isfinite(result.xy[~missing]).all()
        assert (result.confidence[missing] == 0).all()
        assert not np.isnan(result.confidence).any()
        invented = (result.confidence >= 0.6) & (result.confidence != pose.confidence)
        assert not invented.any()
        unseen = ~np.isfinite(pose.xy).all(axis=-1)
        assert (result.confidence[unseen] < 0.6).all()
        assert result.unique is pose.unique


def test_a_keypoint_that_stays_is_returned_as_it_is(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame
) -> None:
    processor = make_filter()
    for number in range(20):
        pose = make_pose([[120.5, 33.25]], 0.7)
        result = processor.process(pose, make_frame(number, number * 0.03))
        np.testing.assert_allclose(result.keypoints, pose.keypoints, rtol=1e-6)


def test_the_confidence_of_seen_keypoints_is_the_models(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame
) -> None:
    processor = make_filter()
    for number in range(20):
        confidence = 0.6 + 0.02 * number
        result = processor.process(make_pose([[number, 5]], confidence), make_frame(number, number * 0.03))
        assert (result.confidence == np.float32(confidence)).all()


@pytest.mark.parametrize("name", HOLDING)
def test_an_unseen_keypoint_is_held_without_confidence_then_missing(
    name: str, make_pose: Make, make_frame: MakeFrame
) -> None:
    processor = FILTERS[name](max_gap=0.1)
    for number in range(5):
        processor.process(make_pose([[50, 60]]), make_frame(number, number * 0.02))
    nowhere = [[math.nan, math.nan]]
    low = processor.process(make_pose([[400, 400]], 0.3), make_frame(5, 0.10))
    gone = processor.process(make_pose(nowhere, 0.0), make_frame(6, 0.12))
    odd = processor.process(make_pose(nowhere, 0.9), make_frame(7, 0.14))
    later = processor.process(make_pose(nowhere, 0.0), make_frame(8, 0.20))
    back = processor.process(make_pose([[300, 10]]), make_frame(9, 0.22))
    for held, confidence in ((low, 0.3), (gone, 0.0), (odd, 0.0)):
        assert held.keypoints[0, 0] == pytest.approx([50, 60, confidence])
    assert np.isnan(later.xy).all()
    assert (later.confidence == 0).all()
    assert back.keypoints[0, 0] == pytest.approx([300, 10, 0.9])  # begins anew, not dragged from where it was


def test_a_keypoint_never_seen_is_missing(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame
) -> None:
    result = make_filter().process(make_pose([[5, 5]], 0.2), make_frame(0, 0.0))
    assert np.isnan(result.xy).all()
    assert (result.confidence == 0).all()


def test_each_keypoint_of_each_individual_is_filtered_alone(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame
) -> None:
    """Three animals whose keypoints come and go, together and one keypoint at a time: the same numbers."""
    rng = np.random.default_rng(3)
    places = np.cumsum(rng.normal(0, 4, (60, 3, 4, 2)), axis=0) + 200
    confidence = np.where(rng.random((60, 3, 4)) < 0.7, 0.9, 0.1)
    times = np.cumsum(rng.uniform(0.005, 0.06, 60))

    def run(animals: slice, keypoints: slice) -> np.ndarray:
        processor = make_filter()
        chosen = places[:, animals, keypoints], confidence[:, animals, keypoints]
        frames = enumerate(zip(*chosen, times, strict=True))
        names = range(chosen[0].shape[1])
        results = [processor.filter(names, xy, c, make_frame(number, t)) for number, (xy, c, t) in frames]
        return np.concatenate([np.stack([xy for xy, _ in results]), np.stack([c for _, c in results])[..., None]], -1)

    together = run(slice(None), slice(None))
    for animal in range(3):
        for keypoint in range(4):
            alone = run(slice(animal, animal + 1), slice(keypoint, keypoint + 1))
            np.testing.assert_allclose(together[:, animal, keypoint], alone[:, 0, 0], rtol=1e-9, atol=1e-9)


def test_coordinates_of_any_number_are_filtered_alike(
    make_filter: Callable[..., KeypointFilter], make_frame: MakeFrame
) -> None:
    """A pose in space: x and y as in the plane, and z as if it were another x."""
    rng = np.random.default_rng(4)
    places = np.cumsum(rng.normal(0, 2, (40, 2, 3, 2)), axis=0) + 100
    plane, space = make_filter(), make_filter()
    sure = np.full((2, 3), 0.9)
    for number, xy in enumerate(places):
        frame = make_frame(number, number * 0.02)
        flat, _ = plane.filter(("a", "b"), xy, sure, frame)
        solid, confidence = space.filter(("a", "b"), xy[..., [0, 1, 0]], sure, frame)
        np.testing.assert_allclose(solid, flat[..., [0, 1, 0]])
        np.testing.assert_array_equal(confidence, sure)


def test_individuals_are_followed_by_id(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame
) -> None:
    """The rows change places at every frame, the names do not: the result is as if they never had."""
    changing, steady = make_filter(), make_filter()
    for number in range(30):
        frame, order = make_frame(number, number * 0.02), [0, 1] if number % 2 else [1, 0]
        places, names = np.array([[100 + number, 10], [500 - number, 20]]), np.array(["a", "b"])
        expected = steady.process(make_pose(places), frame)
        result = changing.process(make_pose(places[order], ids=tuple(names[order])), frame)
        np.testing.assert_allclose(result.keypoints, expected.keypoints[order])
        assert result.ids == tuple(names[order])


def test_equal_ids_are_no_identity(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame
) -> None:
    """Two animals called alike are told apart by their rows."""
    processor = make_filter()
    for number in range(10):
        pose = processor.process(make_pose([[10, 10], [400, 400]], ids=("a", "a")), make_frame(number, number * 0.02))
    assert pose.xy[:, 0] == pytest.approx(np.array([[10, 10], [400, 400]]))


def test_an_absent_individual_is_remembered_for_a_gap(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame
) -> None:
    """Whether an animal is absent from the pose or only unseen makes no difference."""
    absent, unseen = make_filter(), make_filter()
    for number in range(30):
        frame, x = make_frame(number, number * 0.02), 100 + 3 * number
        hidden = 10 <= number < 20
        one = absent.process(make_pose(np.array([[x, 10]])[hidden:], ids=("a",)[hidden:]), frame)
        other = unseen.process(make_pose([[x, 10]], 0.0 if hidden else 0.9, ids=("a",)), frame)
        if not hidden:
            np.testing.assert_allclose(one.keypoints, other.keypoints, rtol=1e-6)


@pytest.mark.parametrize("stands_still", [False, True])
def test_identities_that_change_with_every_frame_cost_nothing(
    stands_still: bool, make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame
) -> None:
    """Also where no gap ever ends, because the gap is long or the clock stands still."""
    processor = make_filter(max_gap=1000.0)
    for number in range(3 * MOST_ABSENT):
        names = tuple(f"{number} {animal}" for animal in range(4))
        time = 0.0 if stands_still else number * 0.01
        processor.process(make_pose([[1, 1]] * 4, ids=names), make_frame(number, time))
    assert len(processor._memory) == MOST_ABSENT + 4


def test_a_recording_that_goes_back_begins_anew(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame, make_run: Callable[..., RunInfo]
) -> None:
    processor = make_filter()
    processor.open(make_run(is_live=False))
    for number in range(20):
        processor.process(make_pose([[5 * number, 0]]), make_frame(number, 10 + number * 0.01))
    back = make_pose([[600, 50]])
    np.testing.assert_array_equal(processor.process(back, make_frame(0, 10.0)).keypoints, back.keypoints)


def test_the_clock_of_the_call_does_not_matter(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame, make_run: Callable[..., RunInfo]
) -> None:
    """A recording read at any speed, by its own times or by its rate: equal numbers."""
    rng = np.random.default_rng(5)
    places = np.cumsum(rng.normal(0, 5, (50, 1, 2)), axis=0) + 300
    results = []
    for number_of_run in range(3):
        processor = make_filter()
        processor.open(make_run(is_live=False, fps=50.0))
        received = 1000 + np.cumsum(rng.uniform(1e-4, 0.5, 50))
        for number, xy in enumerate(places):
            own_time = None if number_of_run == 2 else number / 50
            pose = processor.process(make_pose(xy), make_frame(number, own_time, float(received[number])))
        results.append(pose.keypoints)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_allclose(results[0], results[2], rtol=1e-5)


def test_a_new_run_begins_anew(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame, make_run: Callable[..., RunInfo]
) -> None:
    processor = make_filter()
    results = []
    for _ in range(2):
        processor.open(make_run())
        poses = [processor.process(make_pose([[n**2, 0]]), make_frame(n, n * 0.01)).keypoints for n in range(10)]
        processor.close()
        results.append(np.stack(poses))
    np.testing.assert_array_equal(results[0], results[1])


def test_boxes_ids_and_unique_keypoints_pass(
    make_filter: Callable[..., KeypointFilter], make_pose: Make, make_frame: MakeFrame
) -> None:
    pose = replace(
        make_pose([[10, 10]], ids=("a",)),
        unique=np.array([[1, 2, 0.9]], np.float32),
        boxes=np.array([[0, 0, 9, 9, 0.9]], np.float32),
    )
    result = make_filter().process(pose, make_frame(0, 0.0))
    assert result.ids == pose.ids
    assert result.unique is pose.unique
    assert result.boxes is pose.boxes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_confidence": 1.5}, "min_confidence is 1.5; give a number at least 0 and at most 1"),
        ({"max_gap": 0}, "max_gap is 0; give a number above 0 and at most 100000"),
        ({"max_gap": math.inf}, "max_gap is inf"),
    ],
)
def test_invalid_options_are_refused(
    options: dict[str, float], message: str, make_filter: Callable[..., KeypointFilter]
) -> None:
    with pytest.raises(UsageError) as caught:
        make_filter(**options)
    assert message in str(caught.value)
