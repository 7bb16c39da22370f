"""The columns of DeepLabCut's tables, and a pose as a row of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelCard, Pose

COORDS = ("x", "y", "likelihood")
UNIQUE_INDIVIDUAL = "single"
"""The name under which DeepLabCut files keypoints that exist once in the scene."""


class TableLayout:
    """Which column a value belongs to, fixed for a whole run.

    A single-animal project has the levels scorer, bodyparts, coords; a multi-animal one has individuals in between.
    Individuals whose name the project knows go to their own columns; others (a tracker's) get the first free ones and
    keep them. Without names, the first individual goes to the first columns.

    Attributes:
        names: of the header's levels.
        columns: one tuple for each column.
        left_out: individuals for which there was no column left.
    """

    def __init__(self, card: ModelCard) -> None:
        self._multi = card.multi_animal
        self._keypoints = len(card.skeleton)
        self._unique = len(card.unique_keypoints)
        self._individuals = card.individuals if self._multi else ("",)
        self._taken: dict[str, int] = {}
        self.left_out = 0
        parts = [(name, point) for name in self._individuals for point in card.skeleton.keypoints]
        parts += [(UNIQUE_INDIVIDUAL, point) for point in card.unique_keypoints]
        if self._multi:
            self.names: tuple[str, ...] = ("scorer", "individuals", "bodyparts", "coords")
            self.columns: list[tuple[str, ...]] = [
                (card.scorer, name, point, coord) for name, point in parts for coord in COORDS
            ]
        else:
            self.names = ("scorer", "bodyparts", "coords")
            self.columns = [(card.scorer, point, coord) for _, point in parts for coord in COORDS]

    def row(self, pose: Pose) -> NDArray[np.float32]:
        """(columns,) values of one frame; what was not found is NaN, NaN, 0."""
        shape = (len(self._individuals), self._keypoints, 3)
        values = _not_found(shape[0] * shape[1] + self._unique)
        animals = values[: shape[0] * shape[1]].reshape(shape)
        if self._multi:
            for found, place in enumerate(self._places(pose)):
                if place is not None:
                    animals[place] = pose.keypoints[found]
        elif len(pose):
            animals[0] = pose.single()
            self.left_out += len(pose) - 1
        if pose.unique is not None and self._unique:
            values[shape[0] * shape[1] :] = pose.unique
        return values.reshape(-1)

    def _places(self, pose: Pose) -> list[int | None]:
        """The place of each individual of a pose, None where there is none left."""
        count = len(self._individuals)
        if pose.ids is None:
            places = [index if index < count else None for index in range(len(pose))]
        else:
            places = [self._place(name) for name in pose.ids]
        self.left_out += places.count(None)
        return places

    def _place(self, name: str) -> int | None:
        if name not in self._taken:
            free = [place for place in range(len(self._individuals)) if place not in self._taken.values()]
            own = self._individuals.index(name) if name in self._individuals else None
            wanted = own if own is not None else next(iter(free), None)
            if wanted is None or wanted not in free:
                return None
            self._taken[name] = wanted
        return self._taken[name]


def _not_found(points: int) -> NDArray[np.float32]:
    values = np.full((points, 3), np.nan, dtype=np.float32)
    values[:, 2] = 0.0
    return values
