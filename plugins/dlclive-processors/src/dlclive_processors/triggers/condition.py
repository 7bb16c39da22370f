"""The contract of conditions: what is true in this pose, and for whom."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from dlclive_core import Skeleton
from dlclive_processors.triggers.scene import Scene

Subject = tuple[str, ...]
"""Whom a reading is about: `(name,)` an individual, `(name, name)` two of them, `()` the whole scene."""


class About(Enum):
    """What the subjects of a condition are."""

    INDIVIDUALS = 1
    PAIRS = 2
    SCENE = 0


class Reading(NamedTuple):
    """What a condition says about one subject in one frame.

    Attributes:
        holds: True, False, or None: not known, because something that it depends on is not seen.
        value: what was measured, such as a speed in px/s; NaN if there is nothing.
    """

    holds: bool | None
    value: float = math.nan


UNKNOWN = Reading(None)


class Place(NamedTuple):
    """Where it is: x, y [px], NaN if it is nowhere, and the model's confidence, then 0."""

    x: float = math.nan
    y: float = math.nan
    confidence: float = 0.0


class Condition(ABC):
    """Something that is true of an individual, of a pair of them, or of the scene, or is not, or is unknown.

    `evaluate` is called once for every frame, in order, by the thread that runs the model, also for frames that are not acted
    on. A condition may remember earlier frames. What is not seen is unknown, never False: a trigger that is on is switched off
    by both, and `not` of something unknown is unknown.

    Attributes:
        about: what its subjects are.
        columns: the keypoints that `place` is the middle of; None: all.
        dimensions: of the poses that it understands: 2, pixels; 3, in space.
    """

    about: About = About.INDIVIDUALS
    columns: tuple[int, ...] | None = None
    dimensions: tuple[int, ...] = (2, 3)

    def bind(self, skeleton: Skeleton) -> None:
        """Find the keypoints. Called before the first frame, by `dlclive check`, and when the skeleton changes.

        Raises:
            UsageError: the skeleton has no such keypoint; the message names the nearest.
        """

    def reset(self) -> None:
        """Forget earlier frames: a run begins, or the time went back."""

    @abstractmethod
    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        """What is true in this frame. A subject that is missing from the result is unknown.

        Must raise nothing, whatever the pose: no individuals, none seen, other ones than before.
        """

    def place(self, scene: Scene, subject: Subject) -> Place:
        """Where a subject is: the middle of its keypoints that are seen, and their mean confidence. Asked for events only."""
        total_x = total_y = total = 0.0
        count = 0
        for row in [row for name in subject if (row := scene.row(name)) is not None]:
            points, confidence = scene.points[row].tolist(), scene.pose.confidence[row].tolist()
            for column in range(len(points)) if self.columns is None else self.columns:
                x, y = points[column][:2]
                if not math.isnan(x):
                    total_x, total_y, total = total_x + x, total_y + y, total + confidence[column]
                    count += 1
        return Place(total_x / count, total_y / count, total / count) if count else Place()
