"""Rows on their way into a table that has a row for each frame number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


class RowBlocks:
    """Collects rows and gives them away in blocks without gaps: numbers that did not come are rows of NaN.

    Args:
        columns: of a row.
        give: takes the number of the first row, and (N, columns) float32 rows, which are written to again later.
        size: of a block.

    Attributes:
        next: the first number that may come.
    """

    def __init__(self, columns: int, give: Callable[[int, NDArray[np.float32]], None], size: int) -> None:
        self.next = 0
        self._rows = np.empty((size, columns), dtype=np.float32)
        self._held = 0
        self._give = give

    def fill(self, number: int) -> None:
        """Add rows of NaN for all numbers before this one."""
        while self.next < number:
            gap = min(len(self._rows) - self._held, number - self.next)
            self._rows[self._held : self._held + gap] = np.nan
            self._hold(gap)

    def add(self, number: int, row: NDArray[np.float32]) -> None:
        """Add the row of a number, which is `next` or later."""
        self.fill(number)
        self._rows[self._held] = row
        self._hold(1)

    def flush(self) -> None:
        """Give away what is held; a block whose taking raised is not given again."""
        rows, first = self._rows[: self._held], self.next - self._held
        self._held = 0
        if len(rows):
            self._give(first, rows)

    def _hold(self, count: int) -> None:
        self._held += count
        self.next += count
        if self._held == len(self._rows):
            self.flush()
