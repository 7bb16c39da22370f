"""The linear assignment problem, solved exactly for many small matrices at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def assign(values: NDArray[np.floating], rows: NDArray[np.integer], columns: NDArray[np.integer]) -> Places:
    """Assign a different column to each row so that the sum of the assigned values is as large as possible.

    Shortest augmenting paths (Crouse 2016, "On implementing 2D rectangular assignment algorithms", IEEE TAES 52), one
    row after the other and all problems side by side. Ties are broken as in `scipy.optimize.linear_sum_assignment`, because
    equal sums are common among affinities of three decimals.

    Args:
        values: (B, R, C), finite; B problems.
        rows, columns: (B,), how many of the R rows and C columns each problem uses, from the first on.

    Returns:
        (B, R): the column of each row, -1 for none. In each problem, min(rows, columns) rows have one.
    """
    problems, height, width = values.shape
    side = max(height, width)
    tall = rows > columns  # a problem with more rows than columns is solved transposed
    costs = np.zeros((problems, side, side))
    costs[:, :height, :width] = -values
    costs[tall] = costs[tall].transpose(0, 2, 1)
    assigned_columns = _assign_columns(costs, np.minimum(rows, columns), np.maximum(rows, columns))
    answer = np.full((problems, side), -1, dtype=np.intp)
    answer[~tall] = assigned_columns[~tall]
    problem, column = np.nonzero(assigned_columns[tall] >= 0)
    transposed = np.full((int(tall.sum()), side), -1, dtype=np.intp)
    transposed[problem, assigned_columns[tall][problem, column]] = column
    answer[tall] = transposed
    return answer[:, :height]


def _assign_columns(costs: Floats, rows: NDArray[np.integer], columns: NDArray[np.integer]) -> Places:
    """(B, side): the column of each row, in (B, side, side) problems with at least as many columns as rows."""
    problems, side = costs.shape[:2]
    column_of = np.full((problems, side), -1, dtype=np.intp)
    row_of = np.full((problems, side), -1, dtype=np.intp)
    row_price, column_price = np.zeros((problems, side)), np.zeros((problems, side))
    for row in range(int(rows.max(initial=0))):
        open_ = np.flatnonzero(rows > row)
        part = _Paths(costs[open_], row, columns[open_], column_of[open_], row_of[open_])
        part.search(row_price[open_], column_price[open_])
        row_price[open_], column_price[open_] = part.row_price, part.column_price
        column_of[open_], row_of[open_] = part.column_of, part.row_of
    return column_of


class _Paths:
    """The cheapest ways to give one more row of each problem a column, moving rows that have one already."""

    def __init__(
        self, costs: Floats, row: int, columns: NDArray[np.integer], column_of: Places, row_of: Places
    ) -> None:
        self.costs, self.row = costs, row
        self.column_of, self.row_of = column_of, row_of
        self.problems, self.side = column_of.shape
        self.columns = columns

    def search(self, row_price: Floats, column_price: Floats) -> None:
        """Search the paths, and update prices and assignment."""
        problems, side = self.problems, self.side
        every = np.arange(problems)
        reach = np.full((problems, side), np.inf)
        came_from = np.full((problems, side), -1, dtype=np.intp)
        visited_row = np.zeros((problems, side), dtype=bool)
        visited_column = np.zeros((problems, side), dtype=bool)
        # Columns not yet visited, in the order that breaks ties.
        waiting = self.columns[:, None] - 1 - np.arange(side)[None, :]
        left = self.columns.astype(np.intp).copy()
        length = np.zeros(problems)
        at = np.full(problems, self.row, dtype=np.intp)
        sink = np.full(problems, -1, dtype=np.intp)
        while (going := np.flatnonzero(sink < 0)).size:
            here = at[going]
            visited_row[going, here] = True
            order = waiting[going]
            there = np.arange(side)[None, :] < left[going, None]
            order = np.where(there, order, 0)
            lines = every[: going.size, None]
            now = (length[going, None] + self.costs[going, here][lines, order]) - row_price[going, here][:, None]
            now = now - column_price[going][lines, order]
            old = reach[going][lines, order]
            better = there & (now < old)
            line, slot = np.nonzero(better)
            came_from[going[line], order[line, slot]] = here[line]
            reach[going[line], order[line, slot]] = now[line, slot]
            candidates = np.where(there, np.where(better, now, old), np.inf)
            lowest = candidates.min(axis=1)
            best = there & (candidates == lowest[:, None])
            free = best & (self.row_of[going][lines, order] < 0)
            # Ties: the last free one, or else the first.
            pick = np.where(free.any(axis=1), side - 1 - free[:, ::-1].argmax(axis=1), best.argmax(axis=1))
            column = order[every[: going.size], pick]
            length[going] = lowest
            visited_column[going, column] = True
            owner = self.row_of[going, column]
            sink[going] = np.where(owner < 0, column, -1)
            at[going] = np.where(owner < 0, at[going], owner)
            left[going] -= 1
            waiting[going, pick] = waiting[going, left[going]]
        self._reprice(row_price, column_price, reach, length, visited_row, visited_column)
        self._augment(came_from, sink)

    def _reprice(
        self,
        row_price: Floats,
        column_price: Floats,
        reach: Floats,
        length: Floats,
        visited_row: NDArray[np.bool_],
        visited_column: NDArray[np.bool_],
    ) -> None:
        row_price[:, self.row] += length
        line, row = np.nonzero(visited_row)
        other = row != self.row
        line, row = line[other], row[other]
        row_price[line, row] += length[line] - reach[line, self.column_of[line, row]]
        line, column = np.nonzero(visited_column)
        column_price[line, column] -= length[line] - reach[line, column]
        self.row_price, self.column_price = row_price, column_price

    def _augment(self, came_from: Places, sink: Places) -> None:
        """Walk back along each path and assign to every row on it the column that led to it."""
        walking = np.arange(self.problems)
        column = sink
        while walking.size:
            row = came_from[walking, column]
            self.row_of[walking, column] = row
            before = self.column_of[walking, row]
            self.column_of[walking, row] = column
            further = row != self.row
            walking, column = walking[further], before[further]
