"""Where an animal faces: a range of directions, or a point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from typing_extensions import Unpack

from dlclive_core import Skeleton, UsageError, check_number
from dlclive_processors.triggers.columns import columns_of, names_of
from dlclive_processors.triggers.condition import UNKNOWN, Condition, Reading, Subject
from dlclive_processors.triggers.geometry import angle_between, difference, direction
from dlclive_processors.triggers.scene import Scene
from dlclive_processors.triggers.shared_options import TriggerOptions
from dlclive_processors.triggers.trigger import Trigger


class HeadingWithin(Condition):
    """The direction from tail to nose lies in a range; its value is the direction, see `direction`.

    Args:
        low, high: degrees, -360 to 360: the directions from low to high, clockwise as seen. [150, -150] is 60 degrees around
            the left, 180.
    """

    def __init__(self, tail: str, nose: str, low: float, high: float) -> None:
        self._names = names_of("tail, nose", [tail, nose])
        self._low, self._width = low, (high - low) % 360

    def bind(self, skeleton: Skeleton) -> None:
        self.columns = columns_of(self._names, skeleton)

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        places = scene.places(self.columns or ())
        return {(name,): self._reading(direction(*ends)) for name, ends in zip(scene.names, places, strict=True)}

    def _reading(self, heading: float) -> Reading:
        if math.isnan(heading):
            return UNKNOWN
        return Reading((heading - self._low) % 360 <= self._width, heading)


class HeadingToward(Condition):
    """An animal faces a point: the angle between tail -> nose and nose -> point is within a tolerance, and is the value.

    Args:
        point: x, y [px]; for poses in space x, y, z, or x, y for the direction within the plane of x and y.
        tolerance: degrees to either side.
    """

    def __init__(self, tail: str, nose: str, point: Sequence[float], tolerance: float) -> None:
        self._names = names_of("tail, nose", [tail, nose])
        self._point, self._tolerance = tuple(point), tolerance

    def bind(self, skeleton: Skeleton) -> None:
        self.columns = columns_of(self._names, skeleton)

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        axes = len(self._point)
        if axes > scene.points.shape[2]:
            raise UsageError(f"toward has {axes} numbers; these poses have {scene.points.shape[2]} coordinates")
        places = scene.places(self.columns or ())
        return {
            (name,): self._reading(tail[:axes], nose[:axes])
            for name, (tail, nose) in zip(scene.names, places, strict=True)
        }

    def _reading(self, tail: Sequence[float], nose: Sequence[float]) -> Reading:
        angle = angle_between(difference(nose, tail), difference(self._point, nose))
        return UNKNOWN if math.isnan(angle) else Reading(angle <= self._tolerance, angle)


class HeadingTrigger(Trigger):
    """Reports when an animal faces in a direction or toward a point, and switches an output meanwhile.

    The heading is the direction from `tail` to `nose` in degrees: 0 to the right, 90 down (y points down), 180 to the left,
    -90 up.

    Args:
        tail, nose: the keypoints from which and to which the heading points.
        toward: the point [x, y] in px of the full frame that it must face.
        tolerance: degrees to either side of `toward`.
        range: instead of a point, the directions [low, high] from low to high, clockwise as seen, in degrees.
        options: those of all triggers, see `Trigger`.
    """

    value_unit = "degrees"

    def __init__(
        self,
        *,
        tail: str,
        nose: str,
        toward: Sequence[float] | None = None,
        tolerance: float = 30.0,
        range: Sequence[float] | None = None,
        **options: Unpack[TriggerOptions],
    ) -> None:
        if (toward is None) == (range is None):
            raise UsageError(
                "give either toward, a point [x, y] in px, or range, two directions [low, high] in degrees"
            )
        if toward is not None:
            point = _numbers("toward", toward, (2, 3), "[x, y] in px")
            tolerance = check_number("tolerance", tolerance, above=0, most=180)
            super().__init__(HeadingToward(tail, nose, point, tolerance), **options)
        else:
            low, high = _numbers("range", range, (2,), "[low, high] in degrees")
            for bound in (low, high):
                check_number("range", bound, least=-360, most=360)
            if (high - low) % 360 == 0:
                raise UsageError(f"range is [{low:g}, {high:g}]: give two different directions, such as [-45, 45]")
            super().__init__(HeadingWithin(tail, nose, low, high), **options)


def _numbers(option: str, values: Sequence[float] | None, counts: Sequence[int], form: str) -> list[float]:
    if not isinstance(values, list | tuple) or len(values) not in counts:
        raise UsageError(f"{option} is {values!r}; give {form}")
    return [check_number(option, value) for value in values]
