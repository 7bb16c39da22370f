"""An output is off whenever no decision can be made, also if the session goes on; and a gap is a new beginning."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from dlclive_processors import CallableOutput, FreezingTrigger, RuleTrigger, Stimulate

from dlclive_core import Frame, Pose, Processor, RunInfo, Skeleton, Tolerant, UsageError

IMAGE = np.zeros((2, 2, 3), np.uint8)
MakePose, MakeRun = Callable[..., Pose], Callable[..., RunInfo]


def broken(pose: Pose, frame: Frame) -> bool:
    if frame.index == 1:
        raise ValueError("at the second frame")
    return True


def makers() -> dict[str, Callable[[CallableOutput], Processor]]:
    return {
        "function": lambda output: Stimulate(output=output, condition=broken, max_rate=1000),
        "rule of stimulate": lambda output: Stimulate(output=output, when="snout.x > 1", max_rate=1000),
        "trigger": lambda output: RuleTrigger("snout.x > 1", output=output),
    }


@pytest.mark.parametrize("name", makers())
def test_off_at_once_if_the_processor_raises(name: str, make_pose: MakePose, make_run: MakeRun) -> None:
    calls: list[bool] = []
    processor = Tolerant(makers()[name](CallableOutput(calls.append)), "skip")
    processor.open(make_run())
    processor.process(make_pose([[5, 5]]), Frame(IMAGE, 0, 1000.0, 0.0))
    other = Pose(np.full((1, 1, 3), 0.9, np.float32), Skeleton(("nose",)))  # a skeleton without the keypoint
    processor.process(make_pose([[5, 5]]) if name == "function" else other, Frame(IMAGE, 1, 1000.1, 0.1))
    assert processor.failures == 1
    assert calls == [True, False]


def test_freezing_does_not_count_the_time_of_a_gap(make_pose: MakePose, make_run: MakeRun) -> None:
    run = make_run(is_live=True, fps=None)
    heard: list[str] = []
    trigger = FreezingTrigger(20.0, seconds=0.9, on_event=lambda event: heard.append(event.event), max_age=1e9)
    trigger.open(run)
    for number, at in enumerate([0.0, 0.1, 0.2, 1.15, 1.2, 1.3]):  # nothing between 0.2 and 1.15 s
        trigger.process(make_pose([[5, 5]]), Frame(IMAGE, number, run.started_clock + at))
    assert heard == []


@pytest.mark.parametrize(
    ("age", "pause", "disarms", "cancelled"),
    [(0.0, 0.0, False, 0), (9.0, 0.0, False, 1), (0.0, 5.0, False, 1), (0.0, 0.0, True, 1)],
    ids=["seen to the end", "stale", "gap", "disarmed"],
)
def test_an_onset_that_waits_for_its_delay_is_cancelled_by_any_end(
    age: float,
    pause: float,
    disarms: bool,
    cancelled: int,
    monkeypatch: pytest.MonkeyPatch,
    make_pose: MakePose,
    make_run: MakeRun,
) -> None:
    """Of the output nothing is seen, as it was not on yet; the statistics tell that something was to come."""
    run = make_run(is_live=True, fps=None)
    now = run.started_clock
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    trigger = RuleTrigger("snout.x > 1", delay=0.035, output=CallableOutput(bool))
    trigger.open(run)
    for number in range(10):
        now += 0.01 + pause * (number == 2)
        if number == 2 and disarms:
            trigger.disarm()
        trigger.process(make_pose([[5, 5]]), Frame(IMAGE, number, now - age * (number == 2)))
    counts = trigger.statistics
    assert counts["cancelled"] == cancelled
    assert counts["switched_on"] == (0 if disarms else 1)  # the condition holds on: a new onset, after the whole delay


def test_a_life_shorter_than_a_frame_is_refused_for_any_output(make_run: MakeRun) -> None:
    processor = Stimulate(output=CallableOutput(bool), condition=broken)
    with pytest.raises(UsageError, match=r"lifespan is 0\.07 s, and the source gives 10 frames per second"):
        processor.open(make_run(is_live=True, fps=10.0))
