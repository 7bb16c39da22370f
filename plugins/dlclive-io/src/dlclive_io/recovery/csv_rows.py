"""The rows of a CSV file of ours that a crash or a bad disk may have damaged."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dlclive_core import draft_beside, open_unlinked
from dlclive_io.tables.row_blocks import LAST_NUMBER

_TAIL = 1 << 20  # bytes searched for the end of the last complete line
_HEADER_ROWS = 4

Row = list[str]


@dataclass(slots=True)
class CheckedRows:
    """What `check_rows` found.

    Attributes:
        header: the rows before the first frame.
        count: rows that are kept.
        damaged: rows that are not.
        last: the last row that is kept; None without rows.
        dropped: positions of the rows that are to be removed.
    """

    header: list[Row]
    count: int
    damaged: int
    last: Row | None
    dropped: set[int]


def check_rows(path: Path, *, is_number: Callable[[Row], bool], keeps: Callable[[Row], bool]) -> CheckedRows:
    """Judge every row by its length, its numbers and its place: frame numbers, in the first column, increase.

    Where two neighbours are out of order, the damaged one is that without which the order is right.

    Args:
        path: of the file.
        is_number: whether the cells that must be numbers are.
        keeps: whether a good row is to stay; asked once for each, in order.
    """
    checked = CheckedRows([], 0, 0, None, set())
    width, last = 0, -1
    waiting: tuple[int, int, Row] | None = None  # position, number, cells

    def accept(position: int, number: int, row: Row) -> None:
        nonlocal last
        last = number
        if keeps(row):
            checked.count, checked.last = checked.count + 1, row
        else:
            checked.dropped.add(position)

    def drop(position: int) -> None:
        checked.damaged += 1
        checked.dropped.add(position)

    for position, (_, row) in enumerate(_rows(path)):
        number = frame_number(row)
        if not width and number is None and position < _HEADER_ROWS:
            checked.header.append(row)
            continue
        width = width or max(map(len, checked.header), default=0)
        if number is None or len(row) != width or not is_number(row) or number <= last:
            drop(position)
            continue
        if waiting is not None:
            if number > waiting[1]:
                accept(*waiting)
            else:
                drop(waiting[0])
        waiting = (position, number, row)
    if waiting is not None:
        accept(*waiting)
    return checked


def remove_rows(path: Path, dropped: set[int]) -> None:
    """Write the file anew without the rows at these positions; all others stay as they are, byte by byte."""
    if not dropped:
        return
    draft = draft_beside(path)
    try:
        with open_unlinked(draft, "w", newline="", encoding="utf-8", errors="surrogateescape") as new:
            new.writelines(text for position, (text, _) in enumerate(_rows(path)) if position not in dropped)
            new.flush()
            os.fsync(new.fileno())
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def remove_torn_line(path: Path) -> bool:
    """Remove what follows the last complete line; True if there was something."""
    with open_unlinked(path, "rb+") as file:
        end = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, end - _TAIL))
        tail = file.read().rstrip(b"\0")  # a power cut leaves zeros where rows should be
        whole = start + tail.rfind(b"\n") + 1
        if whole < end:
            file.truncate(whole)
        os.fsync(file.fileno())
    return whole < end


def header_rows(path: Path) -> list[Row]:
    """The rows before the first frame, at most four."""
    header: list[Row] = []
    for _, row in _rows(path):
        if frame_number(row) is not None or len(header) == _HEADER_ROWS:
            break
        header.append(row)
    return header


def frame_number(row: Row) -> int | None:
    """The number of a row's frame; None if its first cell is not one."""
    text = row[0] if row else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= 19):
        return None
    number = int(text)
    return number if number < LAST_NUMBER else None


def is_float(cell: str) -> bool:
    """Whether a cell holds a finite number, "NaN" or nothing."""
    if cell in ("", "NaN"):
        return True
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _rows(path: Path) -> Iterator[tuple[str, Row]]:
    """Every row, as its text and as its cells. Behind the header a row is a line, so that no stray quote joins two."""
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        taken: list[str] = []

        def lines() -> Iterator[str]:
            for line in file:
                taken.append(line)
                yield line

        source = lines()
        header = csv.reader(source)
        for _ in range(_HEADER_ROWS):
            row = next(header, None)
            if row is None:
                return
            yield "".join(taken), row
            taken.clear()
            if frame_number(row) is not None:
                break
        for line in source:
            taken.clear()
            try:
                cells = next(csv.reader([line]), [])
            except csv.Error:
                cells = []
            yield line, cells
