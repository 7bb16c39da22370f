"""The angle at a joint."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import Unpack

from dlclive_core import Skeleton
from dlclive_processors.triggers.bounds import Bounds
from dlclive_processors.triggers.columns import columns_of, names_of
from dlclive_processors.triggers.condition import Condition, Reading, Subject
from dlclive_processors.triggers.geometry import angle_between, difference
from dlclive_processors.triggers.scene import Scene
from dlclive_processors.triggers.shared_options import TriggerOptions
from dlclive_processors.triggers.trigger import Trigger


class JointAngle(Condition):
    """The angle at keypoint b, between a and c, is within bounds: 0 (folded) to 180 degrees (straight), see `angle_between`.

    Unknown unless all three are seen in different places.
    """

    def __init__(self, bounds: Bounds, a: str, b: str, c: str) -> None:
        self._bounds = bounds
        self._names = names_of("a, b, c", [a, b, c])

    def bind(self, skeleton: Skeleton) -> None:
        self.columns = columns_of(self._names, skeleton)

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        places = scene.places(self.columns or ())
        angles = [angle_between(difference(a, b), difference(c, b)) for a, b, c in places]
        return {(name,): self._bounds.reading(angle) for name, angle in zip(scene.names, angles, strict=True)}


class AngleTrigger(Trigger):
    """Reports when the angle at a keypoint is small or large, and switches an output meanwhile.

    Args:
        a, b, c: three keypoints; the angle is that at b, between a and c, 0 to 180 degrees.
        below: less than this, degrees.
        above: more than this, degrees. With both, `above` must be less: between the two.
        options: those of all triggers, see `Trigger`.
    """

    value_unit = "degrees"

    def __init__(
        self,
        *,
        a: str,
        b: str,
        c: str,
        below: float | None = None,
        above: float | None = None,
        **options: Unpack[TriggerOptions],
    ) -> None:
        super().__init__(JointAngle(Bounds(above, below, unit="degrees", most=180), a, b, c), **options)
