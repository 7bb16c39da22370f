"""The columns of a DeepLabCut table, and a pose as one of its rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelCard, Pose

COORDS = {2: ("x", "y", "likelihood"), 3: ("x", "y", "z", "likelihood")}
"""By the number of dimensions of the poses."""
UNIQUE_INDIVIDUAL = "single"
"""DeepLabCut's name for the individual that holds unique keypoints."""


class TableLayout:
    """Assigns values to columns, the same way for a whole run.

    A single-animal project has the levels scorer, bodyparts, coords; a multi-animal one also individuals, after scorer.
    Individuals named in the project go to their own columns; others (a tracker's) take the first free columns and keep
    them. Without names, individuals are assigned in order.

    Args:
        card: of the model.
        dimensions: of the poses: 2, or 3 for `Pose3D`, with a column z.

    Attributes:
        names: names of the header's levels.
        columns: one tuple per column.
        left_out: number of individuals that found no free column.
    """

    def __init__(self, card: ModelCard, dimensions: int = 2) -> None:
        self._multi = card.multi_animal
        self._keypoints = len(card.skeleton)
        self._unique = len(card.unique_keypoints)
        self._individuals = card.individuals if self._multi else ("",)
        self._assigned: dict[str, int] = {}
        coords = COORDS[dimensions]
        self._values = len(coords)
        self.left_out = 0
        parts = [(name, point) for name in self._individuals for point in card.skeleton.keypoints]
        parts += [(UNIQUE_INDIVIDUAL, point) for point in card.unique_keypoints]
        if self._multi:
            self.names: tuple[str, ...] = ("scorer", "individuals", "bodyparts", "coords")
            self.columns: list[tuple[str, ...]] = [
                (card.scorer, name, point, coord) for name, point in parts for coord in coords
            ]
        else:
            self.names = ("scorer", "bodyparts", "coords")
            self.columns = [(card.scorer, point, coord) for _, point in parts for coord in coords]

    def row(self, pose: Pose) -> NDArray[np.float32]:
        """(columns,) values of one frame; a keypoint that was not detected is NaN, NaN, 0, or NaN, NaN, NaN, 0."""
        shape = (len(self._individuals), self._keypoints, self._values)
        values = _not_found(shape[0] * shape[1] + self._unique, self._values)
        animals = values[: shape[0] * shape[1]].reshape(shape)
        if self._multi:
            for individual, slot in enumerate(self._slots(pose)):
                if slot is not None:
                    animals[slot] = pose.keypoints[individual]
        elif len(pose):
            animals[0] = pose.single()
            self.left_out += len(pose) - 1
        if pose.unique is not None and self._unique:
            values[shape[0] * shape[1] :] = pose.unique
        return values.reshape(-1)

    def _slots(self, pose: Pose) -> list[int | None]:
        """The individual's slot in the table for each individual of a pose; None if no slot is free."""
        count = len(self._individuals)
        if pose.ids is None:
            slots = [index if index < count else None for index in range(len(pose))]
        else:
            slots = [self._slot(name) for name in pose.ids]
        self.left_out += slots.count(None)
        return slots

    def _slot(self, name: str) -> int | None:
        if name not in self._assigned:
            free = [slot for slot in range(len(self._individuals)) if slot not in self._assigned.values()]
            own = self._individuals.index(name) if name in self._individuals else None
            slot = own if own is not None else next(iter(free), None)
            if slot is None or slot not in free:
                return None
            self._assigned[name] = slot
        return self._assigned[name]


def _not_found(points: int, count: int) -> NDArray[np.float32]:
    values = np.full((points, count), np.nan, dtype=np.float32)
    values[:, -1] = 0.0
    return values
