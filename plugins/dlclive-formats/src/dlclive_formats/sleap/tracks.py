"""A recording as SLEAP sees it: tracks that all have the same nodes, in pixels whose first centre is (0, 0)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core import PoseRows, RecordingInfo, UsageError

SHIFT = 0.5
"""Pixels. The centre of the top left pixel is (0, 0) in SLEAP, and (0.5, 0.5) in DeepLabCut and dlclive."""

UNIQUE = "single"
"""The track of the keypoints that exist once in the scene, as DeepLabCut calls it in its tables."""


class Tracks:
    """Names of tracks and nodes, and the places of a recording's keypoints among them.

    Unique keypoints are nodes of a track of their own, which has no others; the animals lack these nodes.

    Attributes:
        names, nodes: of the tracks, and of all their nodes.
    """

    def __init__(self, info: RecordingInfo) -> None:
        card = info.card
        points = card.skeleton.keypoints
        self.names = (*card.individuals, UNIQUE) if card.unique_keypoints else card.individuals
        self.nodes = (*points, *(name for name in card.unique_keypoints if name not in points))
        self._points = len(points)
        self._unique = [self.nodes.index(name) for name in card.unique_keypoints]

    def values(self, rows: PoseRows) -> NDArray[np.float64]:
        """(n, tracks, nodes, 3) positions in SLEAP's pixels and confidence; all NaN where a track has no keypoint."""
        values = np.full((len(rows), len(self.names), len(self.nodes), 3), np.nan)
        animals = rows.keypoints.shape[1]
        values[:, :animals, : self._points] = rows.keypoints
        if self._unique:
            values[:, animals, self._unique] = rows.unique
        values[..., :2] -= SHIFT
        values[np.isnan(values[..., :2]).any(axis=-1).all(axis=-1)] = np.nan
        return values

    def rows(self, numbers: NDArray[np.int64], values: NDArray[np.float64]) -> PoseRows:
        """The inverse of `values`, without times."""
        values = values.copy()
        values[..., :2] += SHIFT
        missing = np.isnan(values[..., :2]).any(axis=-1) & np.isnan(values[..., 2])
        values[missing, 2] = 0.0
        animals = len(self.names) - bool(self._unique)
        unique = values[:, animals, self._unique] if self._unique else np.empty((len(numbers), 0, 3))
        return PoseRows(numbers, np.full(len(numbers), np.nan), values[:, :animals, : self._points], unique)


def scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, tracks) score of each instance: the mean confidence of its keypoints that are there; NaN where none is."""
    there = ~np.isnan(values[..., :2]).any(axis=-1) & ~np.isnan(values[..., 2])
    count = there.sum(axis=-1)
    total = np.where(there, values[..., 2], 0.0).sum(axis=-1)
    return np.where(count, total / np.maximum(count, 1), np.nan)


def check_flat(info: RecordingInfo) -> None:
    """Raise UsageError if SLEAP has no place for a recording's poses."""
    if info.dimensions != 2:
        raise UsageError("SLEAP's files hold poses in the image, and these are in space; write .nwb or .parquet")
    if info.card.unique_keypoints and UNIQUE in info.card.individuals:
        raise UsageError(
            f"an animal named {UNIQUE!r} cannot be told from unique keypoints in SLEAP's files; write .h5 or .csv"
        )
