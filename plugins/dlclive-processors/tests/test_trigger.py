"""The base of triggers: when a condition counts, what is reported, and what the output does."""

from __future__ import annotations

import csv
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from dlclive_processors import Condition, Reading, Trigger
from hypothesis import given, settings
from hypothesis import strategies as st

from dlclive_core import (
    Frame,
    Output,
    OutputError,
    OutputExistsError,
    Pose,
    Reason,
    RunInfo,
    Skeleton,
    TriggerEvent,
    UsageError,
)

MakeRun = Callable[..., RunInfo]
Play = Callable[..., tuple[list[int], list[tuple[int, str, str]]]]

SKELETON = Skeleton(("snout", "left_ear", "right_ear", "tail_base"))
IMAGE = np.zeros((2, 2, 3), np.uint8)
YES, NO, UNSEEN = True, False, None
Script = Sequence[Mapping[str, bool | None] | bool | None]


class Scripted(Condition):
    """Says what the test wrote for each frame: of one animal, `a`, or of several by name."""

    def __init__(self, script: Script) -> None:
        self.script = [each if isinstance(each, Mapping) else {"a": each} for each in script]
        self.frame = 0
        self.resets = 0

    def bind(self, skeleton: Skeleton) -> None:
        skeleton.index("snout")

    def reset(self) -> None:
        self.resets += 1

    def evaluate(self, scene: object) -> dict[tuple[str, ...], Reading]:
        said, self.frame = self.script[self.frame], self.frame + 1
        return {(name,): Reading(holds, 7.0) for name, holds in said.items()}


class Lamp(Output):
    """Remembers what it was told; the test may switch it off, as a device does."""

    def __init__(self) -> None:
        self.now = False
        self.requests: list[tuple[bool, Reason]] = []
        self.heard: list[str] = []
        self.is_open = False

    @property
    def is_on(self) -> bool:
        return self.now

    def counts(self) -> dict[str, float]:
        return {"flashes": 3.0}

    def open(self, origin: float) -> None:
        self.is_open = True

    def notify(self, event: TriggerEvent) -> None:
        self.heard.append(event.event)

    def renew(self, on: bool, reason: Reason, frame: int, age: float) -> None:
        self.now = on
        self.requests.append((on, reason))

    def off(self, reason: Reason) -> None:
        self.renew(False, reason, -1, 0.0)

    def close(self) -> None:
        self.now = self.is_open = False


@pytest.fixture
def lamp() -> Lamp:
    return Lamp()


@pytest.fixture
def play(make_run: MakeRun, lamp: Lamp) -> Play:
    """Play a script at 100 frames per second; return the frames in which the lamp was on, and the events."""

    def run(script: Script, **options: object) -> tuple[list[int], list[tuple[int, str, str]]]:
        heard: list[TriggerEvent] = []
        on: list[int] = []
        with Trigger(Scripted(script), output=lamp, on_event=heard.append, **options) as trigger:  # type: ignore[arg-type]
            trigger.open(make_run())
            for number in range(len(script)):
                pose = Pose.missing(SKELETON)
                assert trigger.process(pose, Frame(IMAGE, number, 0.0, number * 0.01)) is pose
                assert lamp.is_on == bool(trigger.on)
                on += [number] * lamp.is_on
        check_pairs(heard)
        return on, [(event.frame, event.individual, event.event) for event in heard]

    return run


def check_pairs(events: Sequence[TriggerEvent]) -> None:
    """Every beginning is followed by exactly one end of the same individual."""
    for individual in {event.individual for event in events}:
        begins = [event.begins for event in events if event.individual == individual]
        assert begins == [True, False] * (len(begins) // 2)  # never one more


def test_on_while_the_condition_holds(play: Play, lamp: Lamp) -> None:
    on, events = play([NO, YES, YES, NO, YES])
    assert on == [1, 2, 4]
    assert events == [(1, "a", "on"), (3, "a", "off"), (4, "a", "on"), (4, "a", "end")]
    assert lamp.heard == ["on", "off", "on", "end"]
    assert lamp.requests[3] == (False, Reason.CONDITION)


def test_unseen_is_lost_at_once_whatever_hold_says(play: Play, lamp: Lamp) -> None:
    on, events = play([YES, YES, UNSEEN, YES, {}], hold=10.0, debounce=1)
    assert on == [0, 1, 3]
    assert events == [(0, "a", "on"), (2, "a", "lost"), (3, "a", "on"), (4, "a", "lost")]
    assert lamp.requests[2] == (False, Reason.MISSING)


def test_hold_outlasts_the_condition_until_the_next_frame_after_it(play: Play) -> None:
    on, events = play([YES] + [NO] * 6, hold=0.025)
    assert on == [0, 1, 2]
    assert events == [(0, "a", "on"), (3, "a", "off")]
    assert play([YES, NO, YES, NO, NO, NO], hold=0.025) == ([0, 1, 2], [(0, "a", "on"), (3, "a", "off")])


def test_a_delayed_onset_begins_only_if_the_condition_has_held_until_then(play: Play) -> None:
    on, events = play([YES, NO] + [YES] * 5, delay=0.025)
    assert on == [5, 6]
    assert events[0] == (5, "a", "on")
    assert play([YES] * 6, delay=0.02, debounce=2)[0] == [3, 4, 5]
    assert play([YES, YES, NO, YES, YES, YES, NO], debounce=3)[0] == [5]


def test_onsets_too_soon_are_refused_and_not_made_up_for(play: Play) -> None:
    flicker = [YES, NO] * 10
    assert len(play(flicker)[0]) == 10
    assert len(play(flicker, refractory=0.025)[0]) == 5
    assert len(play(flicker, max_rate=20)[0]) == 4
    assert play([YES, NO, YES, YES, YES, YES, YES, NO, YES], refractory=0.03)[0] == [0, 8]


def test_whoever_joins_is_reported_and_changes_nothing_for_the_output(play: Play) -> None:
    script = [{"a": YES, "b": NO}, {"a": YES, "b": YES}, {"a": NO, "b": YES}, {"a": NO, "b": NO}]
    on, events = play(script, refractory=9.0)
    assert on == [0, 1, 2]
    assert events == [(0, "a", "on"), (1, "b", "on"), (2, "a", "off"), (3, "b", "off")]


def test_what_was_refused_and_cancelled_is_counted(make_run: MakeRun, lamp: Lamp) -> None:
    script = [YES, NO, YES, NO, NO, NO, YES, YES, NO]
    trigger = Trigger(Scripted(script), output=lamp, delay=0.005, refractory=1.0)
    trigger.open(make_run())
    for number in range(len(script)):
        trigger.process(Pose.missing(SKELETON), Frame(IMAGE, number, 0.0, number * 0.01))
    counts = trigger.statistics
    assert (counts["switched_on"], counts["refused"], counts["cancelled"], counts["flashes"]) == (1, 0, 2, 3)


def test_an_output_that_switched_itself_off_stays_off_until_the_next_beginning(make_run: MakeRun, lamp: Lamp) -> None:
    trigger = Trigger(Scripted([YES, YES, YES, NO, YES]), output=lamp)
    trigger.open(make_run())
    levels = []
    for number in range(5):
        lamp.now = lamp.now and number != 1
        trigger.process(Pose.missing(SKELETON), Frame(IMAGE, number, 0.0, number * 0.01))
        levels.append(lamp.is_on)
    assert levels == [True, False, False, False, True]


Live = Callable[..., tuple[list[str], Mapping[str, float]]]


@pytest.fixture
def live(make_run: MakeRun, lamp: Lamp, monkeypatch: pytest.MonkeyPatch) -> Live:
    """Play frames of a live run, given as (seconds since the one before, age); return the events and the statistics."""

    def run(frames: Sequence[tuple[float, float]], **options: object) -> tuple[list[str], Mapping[str, float]]:
        at = [2000.0]
        monkeypatch.setattr(time, "perf_counter", lambda: at[0])
        heard: list[TriggerEvent] = []
        trigger = Trigger(Scripted([YES] * len(frames)), output=lamp, on_event=heard.append, **options)  # type: ignore[arg-type]
        trigger.open(make_run(is_live=True))
        for number, (step, age) in enumerate(frames):
            at[0] += step
            trigger.process(Pose.missing(SKELETON), Frame(IMAGE, number, at[0] - age))
        trigger.close()
        check_pairs(heard)
        return [event.event for event in heard], trigger.statistics

    return run


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        ((0.01, 0.101), "stale"),
        ((0.01, -0.001), "clock"),
        ((0.01, math.nan), "clock"),
        ((0.01, math.inf), "clock"),
        ((0.01, -math.inf), "clock"),
        ((0.26, 0.0), "gap"),
    ],
)
def test_a_live_frame_that_is_unfit_is_not_acted_on(frame: tuple[float, float], event: str, live: Live) -> None:
    events, statistics = live([(0.01, 0.0), frame, (0.01, 0.0)], hold=9.0)
    assert events == ["on", event, "on", "end"]
    assert statistics[event] == 1


def test_a_frame_without_a_time_hides_no_gap(live: Live) -> None:
    events, statistics = live([(0.01, 0.0), (0.01, math.nan), (0.3, 0.0), (0.01, 0.0)])
    assert events == ["on", "clock", "on", "end"]
    assert statistics["gap"] == 1


def test_a_source_slower_than_max_gap_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(
        UsageError, match=r"max_gap is 0\.25 s, and the source gives 3 frames per second; give 0\.5 or more"
    ):
        Trigger(Scripted([])).open(make_run(is_live=True, fps=3.0))
    Trigger(Scripted([]), max_gap=0.5).open(make_run(is_live=True, fps=3.0))


def test_time_that_goes_back_ends_everything_and_begins_anew(make_run: MakeRun, lamp: Lamp) -> None:
    heard: list[TriggerEvent] = []
    condition = Scripted([YES] * 5)
    trigger = Trigger(condition, output=lamp, on_event=heard.append, refractory=5.0)
    trigger.open(make_run())
    resets = condition.resets
    for number, at in enumerate([10.0, 10.01, 10.005, 3.0, 3.01]):
        trigger.process(Pose.missing(SKELETON), Frame(IMAGE, number, 0.0, at))
    assert [(event.event, event.time) for event in heard] == [("on", 10.0), ("gap", 3.0), ("on", 3.01)]
    assert condition.resets == resets + 1


def test_disarm_switches_off_at_once_and_arm_allows_the_next_onset(make_run: MakeRun, lamp: Lamp) -> None:
    heard: list[str] = []
    trigger = Trigger(Scripted([YES] * 6), output=lamp, on_event=lambda event: heard.append(event.event), armed=False)
    trigger.open(make_run())

    def step(number: int) -> bool:
        trigger.process(Pose.missing(SKELETON), Frame(IMAGE, number, 0.0, number * 0.01))
        return lamp.is_on

    assert not step(0)
    trigger.arm()
    assert step(1)
    thread = threading.Thread(target=trigger.disarm)
    thread.start()
    thread.join()
    assert not lamp.is_on
    assert lamp.requests[-1] == (False, Reason.DISARMED)
    trigger.arm()  # before the next frame: what was on ends with it all the same
    assert not step(2)
    assert step(3)
    assert heard == ["on", "disarmed", "on"]


def test_events_in_the_file(make_run: MakeRun, make_pose: Callable[..., Pose], tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    with Trigger(Scripted([YES, NO, YES]), name="rear, up", events=path) as trigger:
        assert not path.exists()
        trigger.open(make_run(individuals=("a",)))
        for number in range(3):
            trigger.process(make_pose([[50, 60]]), Frame(IMAGE, number, 0.0, number * 0.01))
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["event"] for row in rows] == ["on", "off", "on", "end"]
    first = {"frame": "0", "time": "0.000000", "trigger": "rear, up", "individual": "a", "event": "on"}
    assert rows[0] == {**first, "x": "50.000", "y": "60.000", "confidence": "0.9000", "value": "7"}
    assert (rows[3]["x"], rows[3]["confidence"], rows[3]["value"]) == ("nan", "0.0000", "nan")
    with pytest.raises(OutputExistsError, match="overwrite=true"):
        Trigger(Scripted([]), events=path).open(make_run())


def test_a_condition_that_raises_switches_off(make_run: MakeRun, lamp: Lamp) -> None:
    heard: list[str] = []
    trigger = Trigger(Scripted([YES]), output=lamp, on_event=lambda event: heard.append(event.event), hold=5.0)
    trigger.open(make_run())
    trigger.process(Pose.missing(SKELETON), Frame(IMAGE, 0, 0.0, 0.0))
    with pytest.raises(IndexError):  # the script is over
        trigger.process(Pose.missing(SKELETON), Frame(IMAGE, 1, 0.0, 0.01))
    assert not lamp.is_on
    assert heard == ["on", "lost"]


def test_a_listener_that_fails_keeps_no_event_from_the_others(make_run: MakeRun, lamp: Lamp, tmp_path: Path) -> None:
    def fail(event: TriggerEvent) -> None:
        raise RuntimeError(event.event)

    path = tmp_path / "events.csv"
    trigger = Trigger(Scripted([{"a": YES, "b": YES}]), on_event=fail, output=lamp, events=path)
    trigger.open(make_run())
    with pytest.raises(RuntimeError, match="on"):
        trigger.process(Pose.missing(SKELETON), Frame(IMAGE, 0, 0.0, 0.0))
    with pytest.raises(RuntimeError, match="end"):
        trigger.close()
    assert not lamp.is_open
    assert [line.split(",")[3:5] for line in path.read_text().splitlines()[1:]] == [
        ["a", "on"], ["b", "on"], ["a", "end"], ["b", "end"],
    ]  # fmt: skip
    trigger.close()


def test_an_output_that_fails_ends_the_session_after_the_event_was_reported(make_run: MakeRun) -> None:
    class Broken(Lamp):
        def renew(self, on: bool, reason: Reason, frame: int, age: float) -> None:
            raise OutputError("the cable is unplugged")

    heard: list[str] = []
    trigger = Trigger(Scripted([YES]), output=Broken(), on_event=lambda event: heard.append(event.event))
    trigger.open(make_run())
    with pytest.raises(OutputError, match="unplugged"):
        trigger.process(Pose.missing(SKELETON), Frame(IMAGE, 0, 0.0, 0.0))
    trigger.close()
    assert heard == ["on", "end"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"debounce": 0}, "debounce is 0; give a number at least 1"),
        ({"debounce": 1.5}, "debounce is 1.5; give a whole number of frames"),
        ({"hold": -1}, "hold is -1; give a number at least 0"),
        ({"delay": math.nan}, "delay is nan"),
        ({"refractory": "soon"}, "refractory is 'soon'"),
        ({"max_rate": 0}, "max_rate is 0; give a number above 0"),
        ({"max_age": 0}, "max_age is 0"),
        ({"max_gap": 0}, "max_gap is 0"),
        ({"min_confidence": 60}, "min_confidence is 60"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Trigger(Scripted([]), **options)  # type: ignore[arg-type]
    assert message in str(caught.value)


TRUTHS = st.sampled_from([YES, NO, UNSEEN])
FRAMES = st.lists(st.dictionaries(st.sampled_from("abc"), TRUTHS), max_size=25)
STEPS = st.floats(-0.5, 0.5)


@settings(max_examples=300, deadline=None)
@given(
    script=FRAMES,
    steps=st.lists(STEPS, min_size=25, max_size=25),
    debounce=st.integers(1, 3),
    hold=st.sampled_from([0.0, 0.05, 1.0]),
    delay=st.sampled_from([0.0, 0.05]),
    refractory=st.sampled_from([0.0, 0.05]),
    max_rate=st.sampled_from([None, 5.0]),
)
def test_any_course_has_paired_events_and_is_safe(
    script: list[dict[str, bool | None]], steps: list[float], debounce: int, hold: float, delay: float,
    refractory: float, max_rate: float | None,
) -> None:  # fmt: skip
    """The output is on only while someone is on, nobody is on who is not seen, and a second run gives the same events."""

    def run() -> list[TriggerEvent]:
        heard: list[TriggerEvent] = []
        lamp = Lamp()
        trigger = Trigger(
            Scripted(script), output=lamp, on_event=heard.append, debounce=debounce, hold=hold, delay=delay,
            refractory=refractory, max_rate=max_rate,
        )  # fmt: skip
        now = 100.0
        for number, said in enumerate(script):
            now += steps[number]
            trigger.process(Pose.missing(SKELETON), Frame(IMAGE, number, 0.0, now))
            assert lamp.is_on == bool(trigger.on)
            assert all(said.get(name) is not None for name in trigger.on)
        trigger.close()
        assert not lamp.is_on
        return heard

    events = run()
    check_pairs(events)
    assert [repr(event) for event in events] == [repr(event) for event in run()]
