"""From what is true in each frame to beginnings and ends: debounce, delay, hold, refractory time, rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dlclive_processors.triggers.condition import UNKNOWN, Reading, Subject
from dlclive_processors.triggers.gate import Gate

SLACK = 1e-6
"""Seconds: a frame that comes at the moment itself is not before it, whatever the rounding of its time."""


class Change(NamedTuple):
    """A subject begins to be on, or no longer is. `event` is "on", or why it ended."""

    subject: Subject
    event: str
    begins: bool
    value: float = math.nan


@dataclass(slots=True)
class _Course:
    """How far a subject has come. `frames`: consecutive ones in which the condition held; times in seconds."""

    frames: int = 0
    onset: float | None = None
    on_since: float | None = None
    refused: bool = False


class Activations:
    """Which subjects are on. The trigger is active while one of them is.

    A condition that has held in `debounce` consecutive frames has its onset. `delay` seconds later the subject is on, if the
    condition has held until then; else the onset is cancelled, because acting late means acting on something else. It is on
    until the condition is False, and for `hold` seconds at least. When it is unknown, or the frame is unfit, it ends at once.

    `refractory` and `max_rate` limit how soon the trigger becomes active again. A subject that joins while another one is on
    changes nothing for the output, and is not limited. A refused onset is not made up for: that subject waits for its next one.

    Attributes:
        gate: its counters are the activations granted and the onsets refused.
        cancelled: number of onsets that came to nothing within `delay`, because the condition ended or was no longer acted on.
    """

    def __init__(self, *, debounce: int, hold: float, delay: float, refractory: float, max_rate: float | None) -> None:
        self._debounce, self._hold, self._delay = debounce, hold, delay
        self.gate = Gate(1, refractory, math.inf if max_rate is None else max_rate)
        self.cancelled = 0
        self._courses: dict[Subject, _Course] = {}

    @property
    def on(self) -> tuple[Subject, ...]:
        """The subjects that are on, in the order in which they began to be noticed."""
        return tuple([subject for subject, course in self._courses.items() if course.on_since is not None])

    def reset(self) -> None:
        """A run begins."""
        self.gate.reset()
        self.cancelled = 0
        self._courses.clear()

    def restart(self) -> None:
        """Time went back. What is on must have been ended with `end_all`."""
        self.gate.restart()
        self._courses.clear()

    def end_all(self, event: str, now: float) -> list[Change]:
        """End all subjects; nothing of earlier frames counts any more."""
        changes = [Change(subject, event, begins=False) for subject in self.on]
        self.cancelled += sum(map(_is_waiting, self._courses.values()))
        self._courses.clear()
        self.gate.decide(False, True, now)
        return changes

    def update(self, readings: Mapping[Subject, Reading], now: float) -> list[Change]:
        """Take the readings of a frame that is fit to act on; `now` is its time in seconds."""
        changes: list[Change] = []
        starting: list[Subject] = []
        for subject, reading in readings.items():
            if reading.holds:
                course = self._courses.setdefault(subject, _Course())
                if self._starts(course, now):
                    starting.append(subject)
            elif subject in self._courses:
                self._stop(subject, reading, now, changes)
        absent = [subject for subject in self._courses if subject not in readings]
        for subject in absent:  # in order: a replay gives the same lines
            self._stop(subject, UNKNOWN, now, changes)
        self._start(starting, readings, now, changes)
        return changes

    def _starts(self, course: _Course, now: float) -> bool:
        """Count a frame in which the condition holds; True if the subject is to be on from now."""
        course.frames += 1
        if course.on_since is not None or course.refused or course.frames < self._debounce:
            return False
        if course.onset is None:
            course.onset = now
        return now - course.onset >= self._delay - SLACK

    def _stop(self, subject: Subject, reading: Reading, now: float, changes: list[Change]) -> None:
        """The condition does not hold, or is unknown."""
        course = self._courses[subject]
        if course.on_since is None:
            self.cancelled += _is_waiting(course)
        elif reading.holds is not None and now - course.on_since < self._hold - SLACK:
            course.frames = 0
            return
        else:
            changes.append(Change(subject, _ending(reading), False, reading.value))
        del self._courses[subject]

    def _start(
        self, starting: list[Subject], readings: Mapping[Subject, Reading], now: float, changes: list[Change]
    ) -> None:
        granted = self.gate.decide(bool(starting or self.on), True, now)
        if not granted:
            self.gate.decide(False, True, now)  # so that the next onset is judged anew
        for subject in starting:
            course = self._courses[subject]
            if granted:
                course.on_since = now
                changes.append(Change(subject, "on", True, readings[subject].value))
            else:
                course.refused = True


def _is_waiting(course: _Course) -> bool:
    """Whether it has had its onset, and is to be on after `delay`."""
    return course.on_since is None and course.onset is not None and not course.refused


def _ending(reading: Reading) -> str:
    return "off" if reading.holds is not None else "lost"
