"""What the triggers measure: speeds, distances, angles, headings, stillness."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from dlclive_processors import (
    AngleTrigger,
    DistanceTrigger,
    FreezingTrigger,
    HeadingTrigger,
    Reading,
    Scene,
    SpeedTrigger,
    Trigger,
)
from dlclive_processors.triggers.distance import nearest_pairs
from dlclive_processors.triggers.geometry import angle_between, direction
from hypothesis import given, settings
from hypothesis import strategies as st

from dlclive_core import Pose, Skeleton, UsageError

SKELETON = Skeleton(("snout", "left_ear", "right_ear", "tail_base"))
NAN = float("nan")


def scene(points: object, time: float = 0.0, names: Sequence[str] | None = None) -> Scene:
    """A scene of (N, K, 2) points; NaN is unseen."""
    places = np.asarray(points, np.float32).reshape(-1, 4, 2)
    keypoints = np.concatenate([places, np.where(np.isnan(places[..., :1]), 0, 0.9)], axis=2).astype(np.float32)
    each = tuple(names or (f"m{row}" for row in range(len(places))))
    return Scene.of(Pose(keypoints, SKELETON), each, 0.6, time, time)


def animal(x: float, y: float = 0.0) -> list[list[float]]:
    """A rigid animal with its snout at x, y, that faces right."""
    return [[x, y], [x - 10, y - 5], [x - 10, y + 5], [x - 40, y]]


def values(trigger: Trigger, scenes: Sequence[Scene]) -> list[dict[tuple[str, ...], Reading]]:
    trigger.condition.bind(SKELETON)
    trigger.condition.reset()
    return [dict(trigger.condition.evaluate(each)) for each in scenes]


@pytest.mark.parametrize("options", [{}, {"keypoint": "snout"}, {"keypoints": ["left_ear", "tail_base"]}])
@pytest.mark.parametrize("fps", [10, 30, 100, 500])
def test_the_speed_of_a_steady_animal(options: dict[str, object], fps: int) -> None:
    trigger = SpeedTrigger(299, **options)  # type: ignore[arg-type]
    first, *others = values(trigger, [scene(animal(300 * n / fps), n / fps) for n in range(60)])
    assert first["m0",] == (None, pytest.approx(NAN, nan_ok=True))
    assert [each["m0",].value for each in others] == pytest.approx([300.0] * 59, rel=1e-3)
    assert all(each["m0",].holds for each in others)


def test_slow_and_between() -> None:
    scenes = [scene(animal(50 * n * 0.01), n * 0.01) for n in range(3)]
    assert values(SpeedTrigger(below=60), scenes)[-1]["m0",].holds
    assert values(SpeedTrigger(40, below=60), scenes)[-1]["m0",].holds
    assert values(SpeedTrigger(55, below=60), scenes)[-1]["m0",].holds is False


def test_one_jump_in_a_window_changes_the_speed_little() -> None:
    places = [animal(n) for n in range(10)]
    places[7] = animal(500, 500)
    jumping = values(SpeedTrigger(1), [scene(each, n * 0.025) for n, each in enumerate(places)])
    assert [reading["m0",].value for reading in jumping[8:]] == pytest.approx([40, 40], rel=0.01)
    assert jumping[7]["m0",].value < 1000  # a plain difference would give 28,000


def test_a_hidden_keypoint_does_not_move_the_body() -> None:
    """The mean of the keypoints that are seen would jump by 10 px when the tail is hidden."""
    hidden = animal(0)
    hidden[3] = [NAN, NAN]
    scenes = [scene(hidden if n % 2 else animal(0), n * 0.01) for n in range(10)]
    assert [each["m0",].value for each in values(SpeedTrigger(1), scenes)[1:]] == [0.0] * 9


def test_an_unseen_animal_has_no_speed_and_a_path_begins_anew_after_a_second() -> None:
    unseen = [[NAN, NAN]] * 4
    scenes = [scene(animal(0), 0.0), scene(unseen, 0.5), scene(animal(30), 0.6), scene(animal(99), 2.0)]
    readings = [each["m0",] for each in values(SpeedTrigger(1), scenes)]
    assert [reading.holds for reading in readings] == [None, None, True, None]
    assert readings[2].value == pytest.approx(50)


def test_animals_keep_their_paths_when_rows_change_and_when_one_is_gone_for_a_frame() -> None:
    a, b = [animal(3 * n) for n in range(6)], [animal(500 - 6 * n) for n in range(6)]
    scenes = [
        scene([a[n], b[n]] if n % 2 else [b[n], a[n]], n * 0.01, ("a", "b") if n % 2 else ("b", "a")) for n in range(4)
    ]
    scenes += [scene([a[4]], 0.04, ("a",)), scene([a[5], b[5], animal(0)], 0.05, ("a", "b", "new"))]
    last = values(SpeedTrigger(1), scenes)[-1]
    assert (last["a",].value, last["b",].value) == (pytest.approx(300, rel=1e-3), pytest.approx(600, rel=1e-3))
    assert last["new",].holds is None


def test_many_identities_cost_nothing() -> None:
    trigger = SpeedTrigger(1)
    values(trigger, [scene(animal(0), n * 0.01, (f"track {n}",)) for n in range(500)])
    trail = trigger.condition._trail  # type: ignore[attr-defined]
    assert max(len(trail._paths), len(trail._last_seen)) <= 102


def test_times_that_are_equal_are_no_infinite_speed() -> None:
    readings = values(SpeedTrigger(1), [scene(animal(10 * n), 0.0) for n in range(3)])
    assert [each["m0",].holds for each in readings] == [None] * 3


def test_the_distance_of_two_keypoints() -> None:
    trigger = DistanceTrigger(45, a="snout", b="tail_base")
    assert values(trigger, [scene(animal(0))])[0]["m0",] == (True, 40.0)
    assert values(DistanceTrigger(above=45, a="snout", b="tail_base"), [scene(animal(0))])[0]["m0",] == (False, 40.0)
    hidden = animal(0)
    hidden[3] = [NAN, NAN]
    assert values(trigger, [scene(hidden)])[0]["m0",].holds is None


def test_the_distance_between_animals_is_that_of_the_nearest_keypoints() -> None:
    two = scene([animal(0), animal(100)], names=("b", "a"))
    assert values(DistanceTrigger(70, between_animals=True), [two])[0] == {("a", "b"): (True, 60.0)}
    assert values(DistanceTrigger(70, between_animals=True, a="snout"), [two])[0] == {("a", "b"): (False, 100.0)}
    nose_to_tail = DistanceTrigger(70, between_animals=True, a="snout", b="tail_base")
    assert values(nose_to_tail, [two])[0] == {("a", "b"): (True, 60.0)}
    assert len(values(nose_to_tail, [scene([animal(0)] * 4)])[0]) == 6
    assert values(nose_to_tail, [scene([])])[0] == {}
    gone = [[NAN, NAN]] * 4
    assert values(nose_to_tail, [scene([animal(0), gone])])[0]["m0", "m1"].holds is None


def test_nearest_pairs_agree_with_a_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlclive_processors.triggers.distance._AT_ONCE", 50)  # several parts
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 3, 2)), rng.normal(size=(5, 2, 2))
    a[1, 0] = b[3] = a[4] = np.nan
    found = nearest_pairs(a, b)
    for i in range(5):
        for j in range(5):
            pairs = [(p, q) for p in a[i] for q in b[j]] + [(p, q) for p in a[j] for q in b[i]]
            known = [math.dist(p, q) for p, q in pairs if not np.isnan(p).any() and not np.isnan(q).any()]
            assert found[i, j] == pytest.approx(min(known, default=NAN), nan_ok=True)


def test_the_angle_at_a_keypoint() -> None:
    bent = [[0, 0], [10, 0], [10, 10], [30, 0]]
    right_angle = AngleTrigger(a="snout", b="left_ear", c="right_ear", below=91)
    assert values(right_angle, [scene(bent)])[0]["m0",] == (True, pytest.approx(90.0))
    straight = AngleTrigger(a="snout", b="left_ear", c="tail_base", above=179)
    assert values(straight, [scene(bent)])[0]["m0",] == (True, pytest.approx(180.0))
    assert values(right_angle, [scene([[10, 0], *bent[1:]])])[0]["m0",].holds is None  # two in one place


@settings(max_examples=200, deadline=None)
@given(st.floats(-180, 180), st.floats(0, 180), st.floats(0.01, 1e3), st.floats(0.01, 1e3))
def test_angles_between_vectors(start: float, angle: float, a: float, b: float) -> None:
    """Of any directions and lengths, and in space as in the plane."""
    first, second = math.radians(start), math.radians(start + angle)
    u, v = (a * math.cos(first), a * math.sin(first)), (b * math.cos(second), b * math.sin(second))
    assert angle_between(u, v) == pytest.approx(angle, abs=1e-9)
    assert angle_between((*u, 0.0), (*v, 0.0)) == pytest.approx(angle, abs=1e-9)


@pytest.mark.parametrize(
    ("end", "degrees"), [((1, 0), 0), ((0, 1), 90), ((-1, 0), 180), ((-1, -0.0), 180), ((0, -1), -90), ((1, 1), 45)]
)
def test_directions_grow_clockwise_as_seen(end: tuple[float, float], degrees: float) -> None:
    assert direction((0.0, 0.0), end) == degrees
    assert direction((0.0, 0.0, 5.0), (*end, 9.0)) == degrees


def test_no_direction_between_one_point_and_itself() -> None:
    assert math.isnan(direction((1.0, 2.0), (1.0, 2.0)))


@pytest.mark.parametrize(
    ("bounds", "heading", "holds"),
    [
        ([-45, 45], 0, True),
        ([-45, 45], 50, False),
        ([150, -150], 180, True),
        ([150, -150], 0, False),
        ([315, 405], 0, None),
        ([0, 90], 90, True),
        ([0, 90], -1, False),
    ],
)
def test_a_range_of_headings(bounds: list[float], heading: float, holds: bool | None) -> None:
    nose = [40 + 40 * math.cos(math.radians(heading)), 40 + 40 * math.sin(math.radians(heading))]
    if holds is None:
        with pytest.raises(UsageError, match="range is 405"):
            HeadingTrigger(tail="tail_base", nose="snout", range=bounds)
        return
    trigger = HeadingTrigger(tail="tail_base", nose="snout", range=bounds)
    reading = values(trigger, [scene([nose, nose, nose, [40, 40]])])[0]["m0",]
    assert reading.holds is holds
    assert math.cos(math.radians(reading.value - heading)) == pytest.approx(1)


def test_facing_a_point() -> None:
    trigger = HeadingTrigger(tail="tail_base", nose="snout", toward=[100, 20], tolerance=12)
    ahead, behind = values(trigger, [scene(animal(0)), scene(animal(200))])
    assert ahead["m0",] == (True, pytest.approx(math.degrees(math.atan2(20, 100))))
    assert behind["m0",].holds is False
    assert values(trigger, [scene([[NAN, NAN]] * 4)])[0]["m0",].holds is None
    with pytest.raises(UsageError, match="toward has 3 numbers; these poses have 2 coordinates"):
        values(HeadingTrigger(tail="tail_base", nose="snout", toward=[1, 2, 3]), [scene(animal(0))])


def test_freezing_begins_after_some_seconds_without_movement_and_ends_with_it() -> None:
    places = [animal(0)] * 10 + [animal(30)] + [animal(30)] * 5
    readings = values(FreezingTrigger(20, seconds=0.5), [scene(each, n * 0.1) for n, each in enumerate(places)])
    assert [n for n, each in enumerate(readings) if each["m0",].holds] == [6, 7, 8, 9]
    assert readings[9]["m0",].value == pytest.approx(0.8)
    assert readings[10]["m0",] == (False, 0.0)


def test_an_animal_that_is_not_seen_does_not_freeze() -> None:
    places = [animal(0)] * 5 + [[[NAN, NAN]] * 4] + [animal(0)] * 5
    readings = values(FreezingTrigger(20, seconds=0.3), [scene(each, n * 0.1) for n, each in enumerate(places)])
    assert [n for n, each in enumerate(readings) if each["m0",].holds] == [4, 9, 10]
    assert readings[5]["m0",].holds is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpeedTrigger(), "give threshold or below, in px/s"),
        (lambda: SpeedTrigger(300, below=200), "threshold is 300 and below 200: nothing lies between them"),
        (lambda: SpeedTrigger(-1), "threshold is -1; give a number at least 0"),
        (lambda: SpeedTrigger(1, window=0), "window is 0"),
        (lambda: SpeedTrigger(1, keypoint="a", keypoints=["a"]), "keypoints names a keypoint twice: a, a"),
        (lambda: DistanceTrigger(5), "give the two keypoints a and b, or between_animals=true"),
        (lambda: DistanceTrigger(5, a="snout", b="snout"), "a and b are both 'snout'"),
        (lambda: DistanceTrigger(5, b="snout", between_animals=True), "give a, too"),
        (lambda: DistanceTrigger(a="snout", b="tail_base"), "give above or below, in px"),
        (lambda: AngleTrigger(a="a", b="b", c="a", below=5), "names a keypoint twice"),
        (lambda: AngleTrigger(a="a", b="b", c="c", below=200), "below is 200; give a number above 0 and at most 180"),
        (lambda: HeadingTrigger(tail="a", nose="b"), "give either toward, a point"),
        (lambda: HeadingTrigger(tail="a", nose="a", toward=[1, 2]), "names a keypoint twice"),
        (lambda: HeadingTrigger(tail="a", nose="b", toward=[1]), "toward is [1]; give [x, y] in px"),
        (lambda: HeadingTrigger(tail="a", nose="b", toward=[1, "x"]), "toward is 'x'; give a number"),
        (lambda: HeadingTrigger(tail="a", nose="b", range=[10, 370]), "range is 370"),
        (lambda: HeadingTrigger(tail="a", nose="b", range=[10, 10]), "give two different directions"),
        (lambda: HeadingTrigger(tail="a", nose="b", toward=[1, 2], tolerance=0), "tolerance is 0"),
        (lambda: FreezingTrigger(0), "speed is 0; give a number above 0"),
        (lambda: FreezingTrigger(5, seconds=-1), "seconds is -1"),
    ],
)
def test_bad_options(make: Callable[[], Trigger], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "trigger",
    [
        SpeedTrigger(1, keypoint="snot"),
        DistanceTrigger(1, a="snout", b="snot"),
        DistanceTrigger(1, a="snot", between_animals=True),
        AngleTrigger(a="snot", b="left_ear", c="tail_base", below=5),
        HeadingTrigger(tail="tail_base", nose="snot", range=[0, 9]),
        FreezingTrigger(1, keypoints=["snot"]),
    ],
    ids=lambda trigger: type(trigger).__name__,
)
def test_an_unknown_keypoint_is_refused_and_the_nearest_named(
    trigger: Trigger, make_run: Callable[..., object]
) -> None:
    with pytest.raises(UsageError, match="no keypoint 'snot': did you mean 'snout'"):
        trigger.open(make_run())  # type: ignore[arg-type]
