"""Poses of every kind through every trigger: nothing raises, and nothing is done to an animal that is not seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from dlclive_processors import (
    AllTrigger,
    AngleTrigger,
    AnyTrigger,
    CallableOutput,
    DistanceTrigger,
    FreezingTrigger,
    HeadingTrigger,
    NotTrigger,
    RegionTrigger,
    RuleTrigger,
    SequenceTrigger,
    SpeedTrigger,
    Trigger,
)

from dlclive_core import Frame, ModelCard, Pose, Processor, RunInfo, Skeleton, TriggerEvent
from dlclive_core.testing import ProcessorContract, run_info

SKELETON = Skeleton(("snout", "left_ear", "tail_base"))
SQUARE = [[0, 0], [100, 0], [100, 100], [0, 100]]
IMAGE = np.zeros((2, 2), np.uint8)
VALUES = np.array([np.nan, np.inf, -np.inf, 0, 1, 50, 0.9, 0.61, 0.59, -1, 150, 3e38], np.float32)
CALM = np.array([[40, 40, 0.9], [45, 45, 0.9], [60, 50, 0.9]])
STEPS, SHARES = [0.01, 0.0, 0.5, -0.1, -5.0, np.nan], [0.9, 0.02, 0.05, 0.02, 0.008, 0.002]


def in_square() -> RegionTrigger:
    return RegionTrigger(polygon=SQUARE, keypoint="snout")


@dataclass(frozen=True)
class Kind:
    """A trigger, and the keypoints that one animal must show (`needs`), or of which it must show one (`needs_any`)."""

    make: Callable[..., Trigger]
    needs: tuple[int, ...] = ()


KINDS = {
    "speed": Kind(lambda **o: SpeedTrigger(10, **o)),
    "slow": Kind(lambda **o: SpeedTrigger(below=1e9, keypoint="snout", **o), (0,)),
    "distance": Kind(lambda **o: DistanceTrigger(1e3, a="snout", b="tail_base", **o), (0, 2)),
    "animals": Kind(lambda **o: DistanceTrigger(20, between_animals=True, **o)),
    "noses": Kind(lambda **o: DistanceTrigger(20, between_animals=True, a="snout", **o), (0,)),
    "angle": Kind(lambda **o: AngleTrigger(a="snout", b="left_ear", c="tail_base", below=170, **o), (0, 1, 2)),
    "heading": Kind(lambda **o: HeadingTrigger(tail="tail_base", nose="snout", range=[90, -90], **o), (0, 2)),
    "toward": Kind(lambda **o: HeadingTrigger(tail="tail_base", nose="snout", toward=[0, 35], **o), (0, 2)),
    "rule": Kind(lambda **o: RuleTrigger("snout.y <= tail_base.y and speed(snout) >= 0", **o), (0, 2)),
    "freezing": Kind(lambda **o: FreezingTrigger(1e9, seconds=0.02, **o)),
    "all": Kind(lambda **o: AllTrigger([SpeedTrigger(below=1e50), in_square()], **o), (0,)),
    "any": Kind(lambda **o: AnyTrigger([SpeedTrigger(10), in_square()], **o)),
    "not": Kind(lambda **o: NotTrigger(in_square(), **o), (0,)),
    "sequence": Kind(
        lambda **o: SequenceTrigger([in_square(), SpeedTrigger(10, keypoint="snout")], within=1.0, **o), (0,)
    ),
    "mixed": Kind(lambda **o: AllTrigger([DistanceTrigger(1e9, between_animals=True), SpeedTrigger(below=1e50)], **o)),
}


def run_of(skeleton: Skeleton) -> RunInfo:
    return run_info(ModelCard(net_type="test", skeleton=skeleton, individuals=("a", "b")))


def check_poses(kind: Kind, count: int, seed: int = 0, **options: object) -> int:
    """Run random poses through a trigger; return in how many frames it was on. By hand: with a count of 100,000."""
    rng = np.random.default_rng(seed)
    on: list[bool] = [False]
    begun: set[str] = set()

    def listen(event: TriggerEvent) -> None:
        assert (event.individual in begun) != event.begins
        (begun.add if event.begins else begun.discard)(event.individual)
        if event.begins:
            assert math.isfinite(event.x)
            assert math.isfinite(event.confidence)

    lamp = CallableOutput(lambda value: on.append(value))
    trigger = kind.make(output=lamp, on_event=listen, **options)
    frames, now = 0, 0.0
    with trigger:
        trigger.open(run_of(SKELETON))
        for number in range(count):
            size = int(rng.choice([0, 1, 1, 2, 2, 2, 20]))
            keypoints = rng.choice(VALUES, (size, 3, 3))
            calm = rng.random(size) < 0.5  # as many poses of an animal that is there
            keypoints[calm] = CALM + rng.normal(0, 2, (int(calm.sum()), 3, 1)) * [1, 1, 0]
            ids = None if rng.random() < 0.5 else tuple(str(each) for each in rng.integers(0, 30, size))
            now += float(rng.choice(STEPS, p=SHARES))
            trigger.process(Pose(keypoints.astype(np.float32), SKELETON, ids=ids), Frame(IMAGE, number, 0.0, now))
            now = 0.0 if math.isnan(now) else now
            assert lamp.is_on == bool(trigger.on)
            if lamp.is_on:
                frames += 1
                seen = (
                    np.isfinite(keypoints).all(axis=2)
                    & (keypoints[..., 2] >= np.float32(0.6))
                    & (keypoints[..., 2] <= 1)
                )
                assert (seen[:, list(kind.needs)].all(axis=1) & seen.any(axis=1)).any()
    assert not begun
    assert not lamp.is_on
    return frames


@pytest.mark.parametrize("name", KINDS)
def test_poses_of_every_kind(name: str) -> None:
    assert check_poses(KINDS[name], 1500) > 50
    assert check_poses(KINDS[name], 500, seed=1, debounce=2, hold=0.05, delay=0.01, refractory=0.02, max_rate=20) >= 0


class TestSpeedKeepsTheContract(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return SpeedTrigger(5)


class TestRuleKeepsTheContract(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return RuleTrigger("k0.x < k1.x or speed() > 5")


class TestCombinationsKeepTheContract(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        parts = [DistanceTrigger(50, a="k0", b="k1"), NotTrigger(FreezingTrigger(5))]
        return SequenceTrigger([AllTrigger(parts), AnyTrigger([SpeedTrigger(5)])], within=1.0)
