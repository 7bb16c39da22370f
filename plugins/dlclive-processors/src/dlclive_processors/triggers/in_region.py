"""Whether a keypoint is in a region of the image."""

from __future__ import annotations

from collections.abc import Mapping

from dlclive_core import Skeleton
from dlclive_processors.triggers.condition import UNKNOWN, Condition, Reading, Subject
from dlclive_processors.triggers.polygon import Polygon
from dlclive_processors.triggers.scene import Scene


class InRegion(Condition):
    """A keypoint of an individual lies in a polygon; unknown while it is not seen."""

    dimensions = (2,)

    def __init__(self, polygon: Polygon, keypoint: str) -> None:
        self._polygon, self._keypoint = polygon, keypoint
        self._column = 0

    def bind(self, skeleton: Skeleton) -> None:
        self._column = skeleton.index(self._keypoint)
        self.columns = (self._column,)

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        inside = self._polygon.contains(scene.points[:, self._column, :2])
        rows = zip(scene.names, scene.seen[:, self._column].tolist(), inside.tolist(), strict=True)
        return {(name,): Reading(is_inside) if is_seen else UNKNOWN for name, is_seen, is_inside in rows}
