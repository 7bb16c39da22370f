"""An output is off whenever no decision can be made, also if the session goes on; and a gap is a new beginning."""

from __future__ import annotations

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


def test_a_life_shorter_than_a_frame_is_refused_for_any_output(make_run: MakeRun) -> None:
    processor = Stimulate(output=CallableOutput(bool), condition=broken)
    with pytest.raises(UsageError, match=r"lifespan is 0\.07 s, and the source gives 10 frames per second"):
        processor.open(make_run(is_live=True, fps=10.0))
