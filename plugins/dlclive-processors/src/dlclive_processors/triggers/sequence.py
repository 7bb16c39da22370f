"""One condition after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import Unpack

from dlclive_core import UsageError, check_number
from dlclive_processors.triggers.activations import SLACK
from dlclive_processors.triggers.combinable import Combinable, conditions
from dlclive_processors.triggers.combinations import Combined
from dlclive_processors.triggers.condition import Condition, Place, Reading, Subject
from dlclive_processors.triggers.scene import Scene
from dlclive_processors.triggers.shared_options import TriggerOptions
from dlclive_processors.triggers.trigger import Trigger


@dataclass(slots=True)
class _Progress:
    """How many conditions have held, in order, and the last time at which the latest of them did."""

    done: int = 0
    since: float = 0.0


class InOrder(Combined):
    """Conditions hold one after another, each at most `within` seconds after the one before last held.

    The next one must hold in a later frame. When the last one holds, the sequence does, for as long as that one holds; then it
    begins anew. A frame in which the awaited condition is unknown changes nothing, but time goes on. Its value is the number of
    conditions that have held so far.

    Args:
        parts: two or more.
        within: seconds.
    """

    def __init__(self, parts: Sequence[Condition], within: float) -> None:
        super().__init__(parts)
        self._within = within
        self._progress: dict[Subject, _Progress] = {}

    def reset(self) -> None:
        super().reset()
        self._progress.clear()

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        now = scene.time
        readings = self.readings(scene)
        self._progress = {
            subject: progress
            for subject, progress in self._progress.items()
            if subject in readings or now - progress.since <= self._within + SLACK
        }
        return {subject: self._advance(subject, each, now) for subject, each in readings.items()}

    def place(self, scene: Scene, subject: Subject) -> Place:
        return self.parts[-1].place(scene, subject)

    def _advance(self, subject: Subject, readings: Sequence[Reading], now: float) -> Reading:
        progress = self._progress.setdefault(subject, _Progress())
        last = len(readings)
        if progress.done == last:  # it holds while the last condition does
            final = readings[-1].holds
            if final:
                progress.since = now
            if final or (final is None and now - progress.since <= self._within + SLACK):
                return Reading(final, last)
            progress.done = 0
        if progress.done and now - progress.since > self._within + SLACK:
            progress.done = 0
        awaited = readings[progress.done]
        if awaited.holds:
            progress.done, progress.since = progress.done + 1, now
        elif progress.done and readings[progress.done - 1].holds:
            progress.since = now  # the one before still holds
        if progress.done == last:
            return Reading(True, last)
        return Reading(None if awaited.holds is None else False, progress.done)


class SequenceTrigger(Trigger):
    """Reports when conditions hold one after another for the same animal, and switches an output while the last one holds.

    Args:
        of: triggers in their order, whose conditions are taken, as in `AllTrigger`; two or more.
        within: seconds after one condition last held in which the next one must hold.
        options: those of all triggers, see `Trigger`.
    """

    def __init__(self, of: Sequence[Combinable], *, within: float, **options: Unpack[TriggerOptions]) -> None:
        if len(of) < 2:
            raise UsageError("of must have two triggers or more, in their order")
        super().__init__(InOrder(conditions(of, "sequence"), check_number("within", within, above=0)), **options)
