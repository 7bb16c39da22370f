"""What filters remember of every keypoint of every individual, in one array."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Record = NDArray[np.void]
"""An array of records, whose fields are what one filter remembers of one keypoint."""
Rows = NDArray[np.intp] | slice

MOST_ABSENT = 64
"""Individuals that are remembered although they are not in the pose. When there are more, those seen longest ago are forgotten:
identities that change with every frame must cost neither memory nor time."""


class Memory:
    """A record per keypoint and individual, and the time since it was written.

    Individuals are found by their keys, so their order and number may change from frame to frame.

    Args:
        max_gap: seconds after which a keypoint is forgotten.

    Attributes:
        records: (M, K) records of the M remembered individuals.
        since: (M, K) seconds since the record was written. Above `max_gap`, where it may be infinite, nothing is remembered.
    """

    records: Record
    since: NDArray[np.float64]

    def __init__(self, max_gap: float) -> None:
        self.max_gap = max_gap
        self.forget()

    def forget(self) -> None:
        """Forget everything."""
        self._make([], 0, np.dtype([]))

    def __len__(self) -> int:
        """Number of remembered individuals."""
        return len(self._keys)

    def advance(self, seconds: float) -> None:
        """Let a time >= 0 pass."""
        self.since += seconds

    def rows(self, keys: Sequence[Hashable], keypoints: int, layout: DTypeLike) -> Rows:
        """The rows of the individuals in a pose, in its order; an individual seen for the first time gets a new one.

        Another number of keypoints or another layout belongs to another pose: everything is forgotten.

        Args:
            keys: N different keys.
            keypoints: K.
            layout: of a record.
        """
        if keypoints != self.since.shape[1] or self.records.dtype != layout:
            self._make([], keypoints, layout)
        names = list(keys)
        if names == self._keys:
            return slice(None)
        if not all(name in self._row_of for name in names):
            self._admit(names)
        return np.array([self._row_of[name] for name in names], dtype=np.intp)

    def _admit(self, names: list[Hashable]) -> None:
        """Make rows for new individuals, and drop absent ones of whom nothing, or too much, is remembered."""
        old_keys, records, since = self._keys, self.records, self.since
        newest = since.min(axis=1, initial=np.inf)
        present = set(names)
        absent = [row for row, key in enumerate(old_keys) if key not in present and newest[row] <= self.max_gap]
        absent = sorted(absent, key=newest.__getitem__)[:MOST_ABSENT]
        kept = sorted([*absent, *(row for row, key in enumerate(old_keys) if key in present)])
        keys = [old_keys[row] for row in kept]
        known = set(keys)
        self._make([*keys, *(name for name in names if name not in known)], since.shape[1], records.dtype)
        self.records[: len(kept)] = records[kept]
        self.since[: len(kept)] = since[kept]

    def _make(self, keys: list[Hashable], keypoints: int, layout: Any) -> None:
        self._keys = keys
        self._row_of = {key: row for row, key in enumerate(keys)}
        self.records = np.zeros((len(keys), keypoints), dtype=layout)
        self.since = np.full((len(keys), keypoints), np.inf)
