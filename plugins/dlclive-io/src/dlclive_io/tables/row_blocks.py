"""A buffer for rows of a table that has one row per frame number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


class RowBlocks:
    """Collects rows and writes them in blocks without gaps: missing numbers become rows of NaN.

    Args:
        columns: number of columns.
        write_block: called with the number of the first row and (N, columns) float32 rows; the array is reused later.
        size: rows of a block.

    Attributes:
        next: the smallest number that can still be added.
    """

    def __init__(self, columns: int, write_block: Callable[[int, NDArray[np.float32]], None], size: int) -> None:
        self.next = 0
        self._rows = np.empty((size, columns), dtype=np.float32)
        self._held = 0
        self._write_block = write_block

    def fill(self, number: int) -> None:
        """Add rows of NaN up to this number, which is not included."""
        while self.next < number:
            gap = min(len(self._rows) - self._held, number - self.next)
            self._rows[self._held : self._held + gap] = np.nan
            self._hold(gap)

    def add(self, number: int, row: NDArray[np.float32]) -> None:
        """Add the row of a number not smaller than `next`."""
        self.fill(number)
        self._rows[self._held] = row
        self._hold(1)

    def flush(self) -> None:
        """Write the buffered rows. A block that failed to write is not retried."""
        rows, first = self._rows[: self._held], self.next - self._held
        self._held = 0
        if len(rows):
            self._write_block(first, rows)

    def _hold(self, count: int) -> None:
        self._held += count
        self.next += count
        if self._held == len(self._rows):
            self.flush()
