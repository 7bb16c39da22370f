"""A recorded run gives the same events again; poses in space; rules of `stimulate`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dlclive_processors import (
    AllTrigger,
    AngleTrigger,
    CallableOutput,
    Condition,
    DistanceTrigger,
    FreezingTrigger,
    Reading,
    RuleTrigger,
    Scene,
    SequenceTrigger,
    SpeedTrigger,
    Stimulate,
    Trigger,
)

from dlclive_core import Frame, Pose, Pose3D, RunClock, RunInfo, Skeleton

MakeRun = Callable[..., RunInfo]
SKELETON = Skeleton(("snout", "left_ear", "right_ear", "tail_base"))
IMAGE = np.zeros((2, 2), np.uint8)


class Replayed(RunClock):
    """The clock of a replay: what was recorded."""

    def now(self) -> float:
        return self.posed_at


def every_trigger(path: Path) -> Trigger:
    """Several triggers in one, with all of the timing."""
    parts = [
        SpeedTrigger(50),
        SequenceTrigger([FreezingTrigger(150, seconds=0.02), SpeedTrigger(100, keypoint="snout")], within=1.0),
    ]
    near = DistanceTrigger(300, between_animals=True)
    return AllTrigger([*parts[:1], near], events=path, hold=0.05, delay=0.02, debounce=2, refractory=0.03, max_rate=20)


def test_a_live_run_gives_the_same_file_when_it_is_replayed(make_run: MakeRun, tmp_path: Path) -> None:
    """The times of frames and the moments at which poses were ready are recorded; the computer's clock is not."""
    rng = np.random.default_rng(0)
    live = make_run(is_live=True, individuals=("a", "b"))
    live = replace(live, started_clock=time.perf_counter() - 5.0)
    recorded: list[tuple[Pose, Frame, float]] = []
    with every_trigger(tmp_path / "live.csv") as trigger:
        trigger.open(live)
        began = time.perf_counter() - 4.0
        for number in range(400):
            keypoints = np.full((2, 4, 3), 0.9, np.float32)
            wander = 100 + 80 * np.sin(number / 15 + np.arange(2))[:, None, None] + rng.normal(0, 1, (2, 4, 2))
            keypoints[..., :2] = wander * [[[1, 1]], [[1.5, 1]]]
            keypoints[rng.random((2, 4)) < 0.03] = [np.nan, np.nan, 0]
            # ten milliseconds apart, now and then stale or from the future by far
            age = 9.0 if number % 97 == 50 else -9.0 if number % 89 == 40 else 0.001
            frame = Frame(IMAGE, number, began + number * 0.01)
            live.clock.posed_at = frame.captured_at + age
            live.clock.now = lambda: live.clock.posed_at + 1e-5  # type: ignore[method-assign]  # a little later
            recorded.append((Pose(keypoints, SKELETON), frame, live.clock.posed_at))
            trigger.process(*recorded[-1][:2])
    again = replace(live, clock=Replayed())
    with every_trigger(tmp_path / "again.csv") as trigger:
        trigger.open(again)
        for pose, frame, posed_at in recorded:
            again.clock.posed_at = posed_at
            trigger.process(pose, frame)
    content = (tmp_path / "live.csv").read_bytes()
    assert content == (tmp_path / "again.csv").read_bytes()
    assert {"on", "off", "stale", "clock"} <= {line.split(",")[4] for line in content.decode().splitlines()}


def test_poses_in_space(make_run: MakeRun) -> None:
    heard: list[tuple[str, float]] = []
    options = {"on_event": lambda event: heard.append((event.trigger, event.value)) if event.begins else None}
    triggers = [
        SpeedTrigger(1, keypoint="snout", **options),  # type: ignore[arg-type]
        DistanceTrigger(1e9, a="snout", b="left_ear", **options),  # type: ignore[arg-type]
        DistanceTrigger(1e9, between_animals=True, a="snout", name="animals", **options),  # type: ignore[arg-type]
        AngleTrigger(a="snout", b="left_ear", c="tail_base", above=1, **options),  # type: ignore[arg-type]
        RuleTrigger("distance(snout, left_ear) > 10", **options),  # type: ignore[arg-type]
    ]
    for trigger in triggers:
        trigger.open(make_run())
        for number in range(2):
            xy = np.array([[0, 0], [10, 0], [0, 5], [20, 10]]) + np.array([10 * number, 0])
            keypoints = np.full((2, 4, 4), 0.9)
            keypoints[0, :, :2], keypoints[1, :, :2] = xy, xy + np.array([100, 0])
            keypoints[..., 2] = 3 * keypoints[..., 0]
            trigger.process(Pose3D(keypoints.astype(np.float32), SKELETON), Frame(IMAGE, number, 0.0, number * 0.1))
    values = dict(reversed(heard))
    length = np.sqrt(10)
    assert values["speed"] == pytest.approx(100 * length)
    assert values["distance"] == pytest.approx(10 * length)
    assert values["animals"] == pytest.approx(100 * length)
    u, v = np.array([-1, 0, -3]), np.array([1, 1, 3])
    assert values["angle"] == pytest.approx(np.degrees(np.arccos(u @ v / np.sqrt(10 * 11))))
    assert "rule" in values


# ---- stimulate


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [2000.0]
    monkeypatch.setattr(time, "perf_counter", lambda: at[0])
    return at


def test_stimulate_with_a_rule(clock: list[float], make_run: MakeRun, make_pose: Callable[..., Pose]) -> None:
    """Of any animal; speeds go on through frames that are not acted on; off at once when nothing is seen."""
    heard: list[bool] = []
    lamp = CallableOutput(heard.append)
    levels = []
    with Stimulate(output=lamp, when="speed(snout) > 100 and snout.x < 100", max_rate=1000, max_age=0.004) as stimulate:
        stimulate.open(make_run(is_live=True))
        for number, (x, age) in enumerate(
            [(10, 0), (13, 0), (16, 0.005), (19, 0), (np.nan, 0), (25, 0), (25, 0), (25, -1), (150, 0)]
        ):
            clock[0] += 0.01
            far = [300.0, 300.0]
            pose = make_pose(
                [far, [x, 50]] if number % 2 else [[x, 50], far], ids=("b", "a") if number % 2 else ("a", "b")
            )
            stimulate.process(pose, Frame(IMAGE, number, clock[0] - age))
            levels.append(lamp.is_on)
    assert levels[:5] == [False, True, False, True, False]
    assert levels[5:] == [True, True, False, False]


class Alone(Condition):
    """There is one animal: about the whole scene."""

    def evaluate(self, scene: Scene) -> dict[tuple[str, ...], Reading]:
        return {(): Reading(len(scene.names) == 1, float(len(scene.names)))}


def test_events_of_the_scene_have_no_individual_and_no_place(make_run: MakeRun, make_pose: Callable[..., Pose]) -> None:
    heard = []
    trigger = Trigger(Alone(), on_event=heard.append)
    trigger.open(make_run())
    trigger.process(make_pose([[5, 5]]), Frame(IMAGE, 0, 0.0, 0.0))
    assert trigger.on == ("",)
    assert (heard[0].individual, heard[0].value) == ("", 1.0)
    assert np.isnan(heard[0].x)
