"""Rules: expressions over keypoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from typing_extensions import Unpack

from dlclive_core import Skeleton, UsageError
from dlclive_processors.checks import check_number
from dlclive_processors.triggers.condition import UNKNOWN, Condition, Reading, Subject
from dlclive_processors.triggers.rules.measured import Measured
from dlclive_processors.triggers.rules.nodes import Animal
from dlclive_processors.triggers.rules.parser import parse_rule
from dlclive_processors.triggers.rules.tokens import error_at
from dlclive_processors.triggers.scene import Scene
from dlclive_processors.triggers.shared_options import TriggerOptions
from dlclive_processors.triggers.stillness import Stillness
from dlclive_processors.triggers.trail import Trail
from dlclive_processors.triggers.trigger import Trigger


class Rule(Condition):
    """An expression over keypoints holds for an individual. It is compiled once, by a grammar of its own; nothing is executed.

    `snout.y < tail_base.y - 20 and speed(snout) < 5`. See `docs/processors/rule.md` for the language and
    `rules/parser.py` for the grammar. It is unknown for an individual of which nothing is seen, and wherever a keypoint that
    decides is not seen: see `rules/nodes.py`.

    Args:
        text: the rule.
        window: seconds over which speeds are estimated, see `Trail`.

    Raises:
        UsageError: the rule is wrong, with the place of the error; from `bind`: an unknown keypoint.
    """

    def __init__(self, text: str, window: float = 0.1) -> None:
        if not isinstance(text, str) or not text.strip():
            raise UsageError("the rule is empty; give one such as: snout.y < tail_base.y - 20")
        self._text = text
        self._rule = parse_rule(text)
        window = check_number("window", window, above=0, most=10)
        self._motions = [_Motion(measured, window) for measured in self._rule.measured]

    def bind(self, skeleton: Skeleton) -> None:
        for keypoint in self._rule.keypoints:
            try:
                keypoint.column = skeleton.index(keypoint.name)
            except UsageError as error:
                raise error_at(self._text, keypoint.token, str(error)) from None
        for motion in self._motions:
            motion.bind(skeleton)
        self.columns = tuple(sorted({keypoint.column for keypoint in self._rule.keypoints})) or None

    def reset(self) -> None:
        for motion in self._motions:
            motion.reset()

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        measured = [motion.update(scene) for motion in self._motions]
        is_seen = np.any(scene.seen, axis=1).tolist()
        points, confidence = scene.points.tolist(), scene.pose.confidence.tolist()
        readings: dict[Subject, Reading] = {}
        for row, name in enumerate(scene.names):
            animal = Animal(points[row], confidence[row], [values[row] for values in measured])
            readings[name,] = Reading(self._rule.root.truth(animal)) if is_seen[row] else UNKNOWN
        return readings


class _Motion:
    """What a rule measures over several frames: a speed, or for how long there was none."""

    def __init__(self, measured: Measured, window: float) -> None:
        self._keypoint = measured.keypoint
        self._trail = Trail(window)
        self._stillness = None if measured.still_below is None else Stillness(measured.still_below)

    def bind(self, skeleton: Skeleton) -> None:
        self._trail.columns = [skeleton.index(self._keypoint)] if self._keypoint else None
        self.reset()

    def reset(self) -> None:
        self._trail.reset()
        if self._stillness is not None:
            self._stillness.reset()

    def update(self, scene: Scene) -> Sequence[float]:
        speeds = self._trail.update(scene)
        return speeds if self._stillness is None else self._stillness.update(scene, speeds)


class RuleTrigger(Trigger):
    """Reports when a rule begins and ends to hold for an animal, and switches an output meanwhile.

    Args:
        when: the rule: `snout.y < tail_base.y - 20 and speed(snout) < 5`; see `Rule`.
        window: seconds over which speeds are estimated.
        options: those of all triggers, see `Trigger`.
    """

    def __init__(self, when: str, *, window: float = 0.1, **options: Unpack[TriggerOptions]) -> None:
        super().__init__(Rule(when, window), **options)
