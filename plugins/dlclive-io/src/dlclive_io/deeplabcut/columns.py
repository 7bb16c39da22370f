"""Which column of a DeepLabCut table holds what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRows, RecordingInfo, foreign_card, split_rows
from dlclive_io.deeplabcut.shown_names import shown_names
from dlclive_io.tables.table_layout import UNIQUE_INDIVIDUAL

LEVELS = ("scorer", "individuals", "bodyparts", "coords")
MOST_COLUMNS = 100_000

_POSITIONS = ("x", "y", "z")
_CONFIDENCE = "likelihood"

Column = tuple[str, ...]


class Columns:
    """Arranges the columns of a table by individual and keypoint.

    A table is of a single animal, or has the level `individuals`, in which "single" holds the keypoints that exist once in the
    scene. The tables of deeplabcut-live have no scorer. Individuals may have different keypoints: those of others are then
    missing in all frames. Labels have no likelihood: what was labelled has confidence 1.

    Args:
        path: of the table, for messages.
        names: of the header's levels; empty if the file does not name them.
        columns: one tuple of names for each column.

    Attributes:
        info: the names, as a recording has them.

    Raises:
        DataError: the header is not DeepLabCut's.
    """

    def __init__(self, path: Path, names: Sequence[str | None], columns: Sequence[Column]) -> None:
        if not 0 < len(columns) <= MOST_COLUMNS:
            raise DataError(f"{path} has {len(columns)} columns; a table of poses has up to {MOST_COLUMNS}")
        if len({len(column) for column in columns}) != 1:
            raise DataError(f"{path} is not a DeepLabCut table: its header is not rectangular")
        levels = _levels(path, names, columns)
        places = {level: levels.index(level) for level in levels}
        scorers = {column[places["scorer"]] for column in columns} if "scorer" in places else {""}
        if len(scorers) > 1:
            raise DataError(
                f"{path} has the poses of several scorers ({shown_names(sorted(scorers))}): keep the columns of one"
            )
        has_animals = "individuals" in places
        cells = [
            (
                column[places["individuals"]] if has_animals else "",
                column[places["bodyparts"]],
                column[places["coords"]].lower(),
            )
            for column in columns
        ]
        self._source = {cell: index for index, cell in enumerate(cells)}
        if len(self._source) < len(cells):
            raise DataError(f"{path} has two columns with the same names")
        coords = {coord for _, _, coord in cells}
        if unknown := coords - {*_POSITIONS, _CONFIDENCE}:
            raise DataError(f"{path} has coords {shown_names(sorted(unknown))}, not x, y, z and likelihood")
        dimensions = 3 if "z" in coords else 2
        self._coords = (*_POSITIONS[:dimensions], _CONFIDENCE)
        self._is_complete = _CONFIDENCE in coords
        animals = tuple(dict.fromkeys(animal for animal, _, _ in cells))
        unique_of = UNIQUE_INDIVIDUAL if has_animals and len(animals) > 1 else None
        parts = dict.fromkeys((animal, point) for animal, point, _ in cells)
        for animal, point in parts:
            if not all((animal, point, axis) in self._source for axis in self._coords[:-1]):
                raise DataError(f"{path}: {shown_names([point])} has no {' and '.join(self._coords[:-1])}")
        self.info = RecordingInfo(
            card=foreign_card(
                path,
                tuple(dict.fromkeys(point for animal, point in parts if animal != unique_of)),
                individuals=tuple(animal for animal in animals if animal != unique_of) if has_animals else (),
                multi_animal=has_animals,
                unique_keypoints=tuple(point for animal, point in parts if animal == unique_of),
                scorer=next(iter(scorers)),
            ),
            dimensions=dimensions,
            unit="px" if dimensions == 2 else "",
        )
        card = self.info.card
        order = [
            (animal, point)
            for animal in (card.individuals if has_animals else ("",))
            for point in card.skeleton.keypoints
        ]
        order += [(unique_of or "", point) for point in card.unique_keypoints]
        self._order = np.array([[self._source.get((*part, coord), -1) for coord in self._coords] for part in order])

    def rows(self, numbers: NDArray[np.int64], values: NDArray[np.float64]) -> PoseRows:
        """(n, columns) values as rows. Frames without any number, which have no pose, are left out."""
        there = ~np.isnan(values).all(axis=1)
        numbers, values = numbers[there], values[there]
        padded = np.concatenate([values, np.full((len(values), 1), np.nan)], axis=1)  # -1: no such column
        points = padded[:, self._order]
        positions, confidence = points[..., :-1], points[..., -1]
        if self._is_complete:
            absent = (points == -1).all(axis=-1)  # as DeepLabCut 3 fills animals that were not found
            positions[absent] = np.nan
            confidence[absent] = 0.0
            confidence[:, (self._order < 0).any(axis=1)] = 0.0
        else:
            confidence[:] = np.where(np.isnan(positions).any(axis=-1), 0.0, 1.0)
        return split_rows(numbers, None, points.reshape(len(points), self._order.size), self.info)


def _levels(path: Path, names: Sequence[str | None], columns: Sequence[Column]) -> tuple[str, ...]:
    """The levels of the header, by their names, or else by their number."""
    count = len(columns[0])
    lower = tuple(name.lower() if isinstance(name, str) else None for name in names)
    if len(lower) == count and {"bodyparts", "coords"} <= set(lower) <= set(LEVELS) and len(set(lower)) == count:
        return tuple(name for name in lower if name is not None)
    if any(name is not None for name in lower) or not 2 <= count <= 4:
        shown = shown_names(names, 6) or f"{count} levels without names"
        raise DataError(f"{path} is not a DeepLabCut table: its header has {shown}, not {', '.join(LEVELS)}")
    if count == 3:
        first = {column[0] for column in columns}
        is_scorer = len(first) == 1 and not next(iter(first)).startswith("individual")
        return ("scorer" if is_scorer else "individuals", "bodyparts", "coords")
    return LEVELS if count == 4 else ("bodyparts", "coords")
