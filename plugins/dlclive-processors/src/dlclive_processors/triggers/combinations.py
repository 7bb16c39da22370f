"""All, any, none of several conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from typing_extensions import Unpack

from dlclive_core import DLCLiveError, OptionError, Skeleton, UsageError, first_of
from dlclive_processors.triggers.combinable import Combinable, conditions
from dlclive_processors.triggers.condition import UNKNOWN, About, Condition, Place, Reading, Subject
from dlclive_processors.triggers.scene import Scene
from dlclive_processors.triggers.shared_options import TriggerOptions
from dlclive_processors.triggers.trigger import Trigger


class Combined(Condition):
    """Several conditions about the same subjects.

    What is true of the scene is true of everyone in it. Where conditions about pairs and about individuals meet, the result is
    about individuals, and a pair's reading counts for both of its animals: the condition holds for an animal if it holds for
    one of its pairs.

    Attributes:
        parts: the conditions.
    """

    def __init__(self, parts: Sequence[Condition]) -> None:
        self.parts = tuple(parts)
        kinds = {part.about for part in parts} - {About.SCENE}
        self.dimensions = tuple(each for each in (2, 3) if all(each in part.dimensions for part in parts))
        self.about = About.SCENE if not kinds else kinds.pop() if len(kinds) == 1 else About.INDIVIDUALS

    def bind(self, skeleton: Skeleton) -> None:
        errors = []
        for number, part in enumerate(self.parts):
            try:
                part.bind(skeleton)
            except UsageError as error:
                errors += [self._located(number, each) for each in (error, *error.further)]
        if errors:
            raise first_of(errors)

    def reset(self) -> None:
        for part in self.parts:
            part.reset()

    def readings(self, scene: Scene) -> Mapping[Subject, list[Reading]]:
        """What each part says about each subject, in their order."""
        all_readings = [self._about_mine(part, part.evaluate(scene)) for part in self.parts]
        subjects = dict.fromkeys(subject for readings in all_readings for subject in readings)
        if self.about is not About.SCENE:
            subjects.pop((), None)
        return {
            subject: [readings.get(subject) or readings.get((), UNKNOWN) for readings in all_readings]
            for subject in subjects
        }

    def place(self, scene: Scene, subject: Subject) -> Place:
        return self.parts[0].place(scene, subject)

    def _located(self, number: int, error: DLCLiveError) -> OptionError:
        """The error of a part, with the way to it in the options."""
        return OptionError(str(error), f"{self._way(number)}.{error.option}" if error.option else self._way(number))

    def _way(self, number: int) -> str:
        return f"of.{number}"

    def _about_mine(self, part: Condition, readings: Mapping[Subject, Reading]) -> Mapping[Subject, Reading]:
        if part.about is not About.PAIRS or self.about is About.PAIRS:
            return readings
        of_each: dict[Subject, list[Reading]] = {}
        for subject, reading in readings.items():
            for name in subject:
                of_each.setdefault((name,), []).append(reading)
        return {subject: any_of(each) for subject, each in of_each.items()}


def all_of(readings: Sequence[Reading]) -> Reading:
    """Kleene's `and`, with the value of the first."""
    truths = [reading.holds for reading in readings]
    holds = False if False in truths else None if None in truths else True
    return Reading(holds, readings[0].value)


def any_of(readings: Sequence[Reading]) -> Reading:
    """Kleene's `or`, with the value of the first that holds, else of the first."""
    first = next((reading for reading in readings if reading.holds), None)
    if first is not None:
        return first
    return Reading(None if any(reading.holds is None for reading in readings) else False, readings[0].value)


class Joined(Combined):
    """All, or any, of several conditions.

    Args:
        join: `all_of` or `any_of`.
    """

    def __init__(self, parts: Sequence[Condition], join: Callable[[Sequence[Reading]], Reading]) -> None:
        super().__init__(parts)
        self._join = join

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        return {subject: self._join(each) for subject, each in self.readings(scene).items()}


class Negated(Combined):
    """The opposite of a condition; unknown stays unknown."""

    def __init__(self, part: Condition) -> None:
        super().__init__([part])

    def _way(self, number: int) -> str:
        return "of"

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        return {subject: _opposite(reading) for subject, reading in self.parts[0].evaluate(scene).items()}


def _opposite(reading: Reading) -> Reading:
    return Reading(None if reading.holds is None else not reading.holds, reading.value)


class AllTrigger(Trigger):
    """Reports when all of several conditions hold for the same animal, and switches an output meanwhile.

    Args:
        of: triggers, whose conditions are taken: `of=[{speed:threshold=300},{region:polygon=...,keypoint=snout}]`.
        options: those of all triggers, see `Trigger`.
    """

    def __init__(self, of: Sequence[Combinable], **options: Unpack[TriggerOptions]) -> None:
        super().__init__(Joined(conditions(of, "all"), all_of), **options)


class AnyTrigger(Trigger):
    """Reports when one of several conditions holds for an animal, and switches an output meanwhile.

    Args:
        of: triggers, whose conditions are taken, as in `AllTrigger`.
        options: those of all triggers, see `Trigger`.
    """

    def __init__(self, of: Sequence[Combinable], **options: Unpack[TriggerOptions]) -> None:
        super().__init__(Joined(conditions(of, "any"), any_of), **options)


class NotTrigger(Trigger):
    """Reports when a condition does not hold for an animal that is seen, and switches an output meanwhile.

    Args:
        of: the trigger whose condition is taken: `of={region:polygon=...,keypoint=snout}`.
        options: those of all triggers, see `Trigger`.
    """

    def __init__(self, of: Combinable, **options: Unpack[TriggerOptions]) -> None:
        super().__init__(Negated(conditions([of], "not")[0]), **options)
