"""Distances: between two keypoints of an animal, or between animals."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from dlclive_core import Skeleton, UsageError
from dlclive_processors.triggers.bounds import Bounds
from dlclive_processors.triggers.columns import columns_of
from dlclive_processors.triggers.condition import About, Condition, Reading, Subject
from dlclive_processors.triggers.scene import Scene
from dlclive_processors.triggers.shared_options import TriggerOptions
from dlclive_processors.triggers.trigger import Trigger

_AT_ONCE = 1 << 15
"""Distances that are computed at once: few enough to stay in the processor's cache."""


class KeypointDistance(Condition):
    """Two keypoints of an individual are nearer or farther than a bound: ||a - b||, in px; unknown unless both are seen."""

    def __init__(self, bounds: Bounds, a: str, b: str) -> None:
        self._bounds, self._names = bounds, (a, b)

    def bind(self, skeleton: Skeleton) -> None:
        self.columns = columns_of(self._names, skeleton)

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        a, b = self.columns or (0, 0)
        distances = np.linalg.norm(scene.points[:, a] - scene.points[:, b], axis=1).tolist()
        return {(name,): self._bounds.reading(value) for name, value in zip(scene.names, distances, strict=True)}


class AnimalDistance(Condition):
    """Two individuals are nearer or farther than a bound. Its subjects are pairs.

    The distance of a pair is that of its nearest two keypoints: a of one and b of the other, whichever way round is nearer; or,
    without names, any keypoint of one and any of the other. Keypoints that are not seen are left out; unknown if none is left.
    """

    about = About.PAIRS

    def __init__(self, bounds: Bounds, a: str | None, b: str | None) -> None:
        self._bounds = bounds
        self._names = tuple(name for name in (a, b or a) if name)
        self._ends: tuple[slice | list[int], slice | list[int]] = (slice(None), slice(None))

    def bind(self, skeleton: Skeleton) -> None:
        self.columns = columns_of(self._names, skeleton)
        if self.columns is not None:
            self._ends = [self.columns[0]], [self.columns[1]]

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        nearest = nearest_pairs(scene.points[:, self._ends[0]], scene.points[:, self._ends[1]]).tolist()
        pairs = combinations(sorted(zip(scene.names, range(len(scene.names)), strict=True)), 2)
        return {(name, other): self._bounds.reading(nearest[i][j]) for (name, i), (other, j) in pairs}


def nearest_pairs(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distances of N individuals: (N, N), symmetric, of the nearest point of one's `a` and the other's `b`.

    Args:
        a, b: (N, Ka, D) and (N, Kb, D) positions; NaN: not there. NaN in the result: no two points.
    """
    count, size = len(a), a.shape[1] * b.shape[0] * b.shape[1]
    result = np.full((count, count), np.nan)
    some = max(1, _AT_ONCE // max(size, 1))  # individuals at once
    others = b.reshape(-1, b.shape[2])
    for first in range(0, count if count > 1 else 0, some):
        part = a[first : first + some]
        squares = np.zeros((part.shape[0] * part.shape[1], len(others)))
        for axis in range(a.shape[2]):
            squares += np.square(part[:, :, axis].reshape(-1, 1) - others[None, :, axis])
        squares = squares.reshape(*part.shape[:2], *b.shape[:2])
        result[first : first + some] = np.fmin.reduce(np.fmin.reduce(squares, axis=1), axis=2)
    nearest: NDArray[np.float64] = np.sqrt(np.fmin(result, result.T))
    return nearest


class DistanceTrigger(Trigger):
    """Reports when two keypoints, or two animals, are near to each other or far apart, and switches an output meanwhile.

    Args:
        below: nearer than this, px.
        above: farther than this, px. With both, `above` must be less: between the two.
        a, b: the two keypoints. Between animals, `b` may be left out: the same as `a`; and both: any keypoints.
        between_animals: of one animal to that of another one, for all pairs. The nearest two keypoints count.
        options: those of all triggers, see `Trigger`.
    """

    value_unit = "px"

    def __init__(
        self,
        below: float | None = None,
        *,
        above: float | None = None,
        a: str | None = None,
        b: str | None = None,
        between_animals: bool = False,
        **options: Unpack[TriggerOptions],
    ) -> None:
        bounds = Bounds(above, below)
        if between_animals:
            if b is not None and a is None:
                raise UsageError("give a, too, or only a: then it is the distance from a to a")
            super().__init__(AnimalDistance(bounds, a, b), **options)
            return
        if a is None or b is None:
            raise UsageError("give the two keypoints a and b, or between_animals=true")
        if a == b:
            raise UsageError(f"a and b are both {a!r}; give two keypoints, or between_animals=true")
        super().__init__(KeypointDistance(bounds, a, b), **options)
