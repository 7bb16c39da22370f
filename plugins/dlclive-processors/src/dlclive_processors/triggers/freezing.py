"""Freezing: no movement for some time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from typing_extensions import Unpack

from dlclive_core import Skeleton, check_number
from dlclive_processors.triggers.activations import SLACK
from dlclive_processors.triggers.columns import columns_of, names_of
from dlclive_processors.triggers.condition import UNKNOWN, Condition, Reading, Subject
from dlclive_processors.triggers.scene import Scene
from dlclive_processors.triggers.shared_options import TriggerOptions
from dlclive_processors.triggers.stillness import Stillness
from dlclive_processors.triggers.trail import Trail
from dlclive_processors.triggers.trigger import Trigger


class Freezing(Condition):
    """An individual has not been faster than a bound for some seconds; its value is for how long.

    A frame in which it is not seen, or in which its speed is not known, begins the count anew.
    """

    def __init__(self, speed: float, seconds: float, keypoints: Sequence[str] = (), window: float = 0.1) -> None:
        self._stillness = Stillness(check_number("speed", speed, above=0))
        self._seconds = check_number("seconds", seconds, least=0)
        self._keypoints = names_of("keypoints", keypoints)
        self._trail = Trail(check_number("window", window, above=0, most=10))

    def bind(self, skeleton: Skeleton) -> None:
        self.columns = columns_of(self._keypoints, skeleton)
        self._trail.columns = None if self.columns is None else list(self.columns)
        self.reset()

    def reset(self) -> None:
        self._trail.reset()
        self._stillness.reset()

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        still = self._stillness.update(scene, self._trail.update(scene))
        return {(name,): self._reading(seconds) for name, seconds in zip(scene.names, still, strict=True)}

    def _reading(self, seconds: float) -> Reading:
        return UNKNOWN if math.isnan(seconds) else Reading(seconds >= self._seconds - SLACK, seconds)


class FreezingTrigger(Trigger):
    """Reports when an animal freezes and when it moves again, and switches an output meanwhile.

    Args:
        speed: px/s; an animal that is slower is still. It must be above the jitter of the network on a resting animal.
        seconds: for how long it must be still.
        keypoints: whose mean motion counts; default: the body, all keypoints that are seen.
        window: seconds over which the speed is estimated, see `Trail`.
        options: those of all triggers, see `Trigger`.
    """

    value_unit = "s"

    def __init__(
        self,
        speed: float,
        *,
        seconds: float = 1.0,
        keypoints: Sequence[str] = (),
        window: float = 0.1,
        **options: Unpack[TriggerOptions],
    ) -> None:
        super().__init__(Freezing(speed, seconds, keypoints, window), **options)
