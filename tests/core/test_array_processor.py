"""Processors of DeepLabCut-live in a session: the arrays and keywords they get, and what becomes of what they return."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import numpy as np
import pytest

from dlclive_core import ArrayProcessor, Frame, MemorySink, ModelCard, Pose, RunInfo, Session, Skeleton, UsageError
from dlclive_core.testing import BlobModel, BlobSource

SKELETON = Skeleton(("snout", "left_ear", "tail_base"))
IMAGE = np.zeros((2, 2, 3), np.uint8)
NAN = np.nan


class Listens:
    """Keeps what it was given, and returns what it is told to, by default the array itself."""

    def __init__(self, returns=None) -> None:
        self.arrays: list[np.ndarray] = []
        self.keywords: list[dict] = []
        self.returns = returns

    def process(self, pose, **kwargs):
        self.arrays.append(pose.copy())
        self.keywords.append(kwargs)
        return pose if self.returns is None else self.returns(pose)


def run_of(individuals: tuple[str, ...] = ("mouse",)) -> RunInfo:
    card = ModelCard(net_type="test", skeleton=SKELETON, individuals=individuals, unique_keypoints=("lever",))
    return RunInfo(
        card=card,
        source="test",
        is_live=True,
        frame_size=(640, 480),
        fps=None,
        frame_count=None,
        started_at=datetime.now(timezone.utc),
        started_clock=time.perf_counter(),
    )


def processed(old: object, keypoints: object, individuals: tuple[str, ...] = ("mouse",), **more: object) -> Pose:
    adapter = ArrayProcessor(old)
    adapter.open(run_of(individuals))
    pose = Pose(np.asarray(keypoints, np.float32), SKELETON, **more)
    return adapter.process(pose, Frame(IMAGE, 0, time.perf_counter()))


SEEN, MISSING = (10, 20, 0.9), (NAN, NAN, 0)


def test_a_missing_keypoint_is_zeros_on_the_way_in_and_missing_on_the_way_out() -> None:
    old = Listens()
    pose = processed(old, [[SEEN, MISSING, (5, NAN, 0.8)]])
    (array,) = old.arrays
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, np.asarray([SEEN, (0, 0, 0), (0, 0, 0)], np.float32))
    np.testing.assert_array_equal(pose.keypoints, np.asarray([[SEEN, MISSING, MISSING]], np.float32))


def test_arithmetic_of_a_processor_leaves_a_missing_keypoint_missing() -> None:
    pose = processed(Listens(lambda pose: pose * [2, 2, 1]), [[SEEN, MISSING, SEEN]])
    np.testing.assert_allclose(pose.keypoints, [[(20, 40, 0.9), MISSING, (20, 40, 0.9)]], rtol=1e-6)


def test_a_position_that_a_filter_gave_to_a_missing_keypoint_is_kept() -> None:
    def predict(pose):
        pose[1, :2] = 7, 8
        return pose

    pose = processed(Listens(predict), [[SEEN, MISSING, SEEN]])
    np.testing.assert_array_equal(pose.keypoints[0, 1], (7, 8, 0))


def test_what_a_processor_returns_as_nan_or_infinite_is_missing() -> None:
    returned = [[(NAN, 3, 0.9), (1e300, 3, 0.9), (4, 5, 0.5)]]
    pose = processed(Listens(lambda pose: returned), [[SEEN, SEEN, SEEN]])
    np.testing.assert_array_equal(pose.keypoints, [[MISSING, MISSING, (4, 5, 0.5)]])


def test_without_animals_there_is_one_row_to_read_and_none_to_trigger_on() -> None:
    empty = np.empty((0, 3, 3))
    for individuals, shape in ((("mouse",), (3, 3)), (("a", "b"), (1, 3, 3))):
        old = Listens()
        pose = processed(old, empty, individuals)
        assert old.arrays[0].shape == shape
        assert not old.arrays[0].any()
        assert len(pose) == 0
    found = processed(Listens(lambda pose: pose + 1), empty, ("a", "b"))
    np.testing.assert_array_equal(found.keypoints, np.ones((1, 3, 3)))


def test_one_animal_is_two_dimensional_and_several_are_three_dimensional() -> None:
    one, several = Listens(), Listens()
    processed(one, [[SEEN] * 3])
    processed(several, [[SEEN] * 3, [MISSING] * 3], ("a", "b"))
    assert one.arrays[0].shape == (3, 3)
    assert several.arrays[0].shape == (2, 3, 3)


def test_names_and_boxes_stay_with_their_animals() -> None:
    sure, unsure = [SEEN] * 3, [(1, 2, 0.1)] * 3
    boxes = np.asarray([[0, 0, 9, 9, 0.1], [1, 1, 8, 8, 0.9]], np.float32)
    several = {"ids": ("a", "b"), "boxes": boxes}
    best = processed(Listens(), [unsure, sure], **several)  # more animals than the project has: the best one
    assert best.ids == ("b",)
    np.testing.assert_array_equal(best.boxes, boxes[1:])
    both = processed(Listens(), [unsure, sure], ("a", "b"), **several)
    assert both.ids == ("a", "b")
    fewer = processed(Listens(lambda pose: pose[1:]), [unsure, sure], ("a", "b"), **several)
    assert (len(fewer), fewer.ids, fewer.boxes) == (1, None, None)


def test_frame_time_and_pose_time_are_wall_times() -> None:
    old = Listens()
    adapter, run = ArrayProcessor(old), run_of()
    adapter.open(run)
    for age in (2, NAN):  # NaN: nobody set it, so it is the time of the call
        before = time.time()
        run.clock.posed_at = time.perf_counter() - age
        adapter.process(Pose.missing(SKELETON), Frame(IMAGE, 0, time.perf_counter() - 5))
        after = time.time()
        keywords = old.keywords.pop()
        assert keywords["record"] is True
        assert before - 5.05 <= keywords["frame_time"] <= after - 4.95
        age = np.nan_to_num(age)
        assert before - age - 0.05 <= keywords["pose_time"] <= after - age + 0.05


def test_the_age_that_a_processor_computes_is_right_after_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that is set by an hour during the run must not make a predictor predict an hour ahead."""
    ages = []

    class Predicts:
        def process(self, pose, frame_time):
            ages.append(time.time() - frame_time)

    adapter, true_time = ArrayProcessor(Predicts()), time.time
    adapter.open(run_of())
    monkeypatch.setattr(time, "time", lambda: true_time() + 3600)
    adapter.process(Pose.missing(SKELETON), Frame(IMAGE, 0, time.perf_counter()))
    assert 0 <= ages[0] + 0.01 < 5


def test_a_process_that_lists_its_keywords_gets_these() -> None:
    class Lists:
        got = ()

        def process(self, pose, record=None):
            self.got = (*self.got, record)
            return pose

    class Alone:
        def process(self, pose):
            return pose

    lists, sink = Lists(), MemorySink()
    Session(source=BlobSource(frames=2), model=BlobModel(), processors=[lists, Alone()], sinks=[sink]).run()
    assert lists.got == (True, True)
    assert len(sink.poses) == 2


def test_set_dlc_cfg_gets_the_names_of_the_keypoints_before_the_first_frame() -> None:
    class Configured(Listens):
        cfg = None

        def set_dlc_cfg(self, cfg) -> None:
            assert not self.arrays
            self.cfg = cfg

    old = Configured()
    processed(old, [[SEEN] * 3])
    assert old.cfg["metadata"] == {
        "bodyparts": ["snout", "left_ear", "tail_base"],
        "individuals": ["mouse"],
        "unique_bodyparts": ["lever"],
    }


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (np.zeros((2, 3)), "shape (2, 3)"),
        (np.zeros((3, 5)), "shape (3, 5)"),
        (np.zeros((1, 1, 3, 3)), "shape (1, 1, 3, 3)"),
        (4, "shape ()"),
        ("up", "a str"),
        ([[1, 2], [3]], "a list"),
        (np.zeros((3, 3), complex), "a ndarray"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_anything_else_that_is_returned_is_named(returned: object, got: str) -> None:
    with pytest.raises(UsageError) as raised:
        processed(Listens(lambda pose: returned), [[SEEN] * 3])
    assert str(raised.value) == f"Listens.process returned {got}, not an array of numbers of shape (3, 3)"


def test_random_poses_raise_nothing_and_come_back_clean() -> None:
    random = np.random.default_rng(7)
    special = np.asarray([NAN, np.inf, -np.inf, 0, 1e38, -1e38], np.float32)
    adapters = [ArrayProcessor(Listens(), single_animal=single) for single in (True, False)]
    for adapter in adapters:
        adapter.open(run_of())
    for number in range(1000):
        keypoints = random.normal(100, 100, (random.integers(0, 11), 3, 3)).astype(np.float32)
        chosen = random.random(keypoints.shape) < 0.3
        keypoints[chosen] = random.choice(special, int(chosen.sum()))
        ids = ("a",) * len(keypoints) if random.random() < 0.3 else None
        frame = Frame(IMAGE, number, random.choice([0.0, 1e9, number]))
        for adapter in adapters:
            result = adapter.process(Pose(keypoints, SKELETON, ids=ids), frame)
            missing = np.isnan(result.keypoints).any(axis=-1)
            np.testing.assert_array_equal(result.keypoints[missing], np.tile(MISSING, (int(missing.sum()), 1)))
            assert np.isfinite(result.keypoints[~missing]).all()
            assert not (result.keypoints == 0).all(axis=-1).any()
    assert all(np.isfinite(array).all() for adapter in adapters for array in adapter.processor.arrays)
