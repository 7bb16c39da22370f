"""Rules: expressions over keypoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from typing_extensions import Unpack

from dlclive_core import Skeleton, UsageError, check_number
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

READINGS = {truth: Reading(truth) for truth in (True, False, None)}


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
        self._named: list[int] = []

    def bind(self, skeleton: Skeleton) -> None:
        found = []
        for keypoint in self._rule.keypoints:
            try:
                found.append(skeleton.index(keypoint.name))
            except UsageError as error:
                raise error_at(self._text, keypoint.token, str(error)) from None
        for motion in self._motions:
            motion.bind(skeleton)
        self._named = sorted(set(found))
        self.columns = tuple(self._named) or None
        for keypoint, column in zip(self._rule.keypoints, found, strict=True):
            keypoint.column = self._named.index(column)

    def reset(self) -> None:
        for motion in self._motions:
            motion.reset()

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        measured = [motion.update(scene) for motion in self._motions]
        places, confidence = scene.places(self._named), scene.pose.confidence.take(self._named, axis=1).tolist()
        motions = zip(*measured, strict=True) if measured else [()] * len(places)
        animals = map(Animal, places, confidence, motions)
        truth = self._rule.root.truth
        return {
            (name,): READINGS[truth(animal)] if is_seen else UNKNOWN
            for name, is_seen, animal in zip(scene.names, scene.is_any_seen(), animals, strict=True)
        }


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
