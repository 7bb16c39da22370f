"""A buffer for rows of a table that has one row per frame number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.floating[Any]]

MOST_EMPTY_ROWS = 1_000_000
"""In one table: almost three hours at 100 frames/s."""

MOST_EMPTY_BYTES = 1 << 28
"""In one table, as float64."""

LAST_NUMBER = 2**62
"""Tables hold 64-bit integers. No source counts as far."""


class RowBlocks:
    """Collects rows and writes them in blocks; missing numbers become rows of NaN.

    A source that jumps, because its counter wrapped or was damaged, must not fill the disk with such rows. So their number
    is limited: a gap that exceeds what is left of it stays a gap, and the rows behind it keep their numbers.

    Args:
        columns: number of columns.
        write_block: called with the number of the first row and (N, columns) rows, which have consecutive numbers; the array
            is reused later.
        size: rows of a block.
        dtype: of the rows: float32 as poses are, or float64 as tables of other programs are.

    Attributes:
        next: the smallest number that can still be added.
        left_out: how many missing numbers have no row.
    """

    def __init__(
        self,
        columns: int,
        write_block: Callable[[int, Values], None],
        size: int,
        dtype: type[np.float32] | type[np.float64] = np.float32,
    ) -> None:
        self.next = 0
        self.left_out = 0
        self._rows: Values = np.empty((size, columns), dtype=dtype)
        self._held = 0
        self._write_block = write_block
        self._empty_rows_left = min(MOST_EMPTY_ROWS, MOST_EMPTY_BYTES // (8 * (columns + 1)))

    def can_fill(self, number: int) -> bool:
        """Whether the numbers up to this one, which is not included, can become rows of NaN."""
        return number - self.next <= self._empty_rows_left

    def fill(self, number: int) -> None:
        """Add rows of NaN up to this number, which is not included, or leave all of them out."""
        if number <= self.next:
            return
        if not self.can_fill(number):
            self.flush()
            self.left_out += number - self.next
            self.next = number
            return
        self._empty_rows_left -= number - self.next
        while self.next < number:
            gap = min(len(self._rows) - self._held, number - self.next)
            self._rows[self._held : self._held + gap] = np.nan
            self._hold(gap)

    def add(self, number: int, row: Values) -> None:
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
