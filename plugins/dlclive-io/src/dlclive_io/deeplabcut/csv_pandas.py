"""DeepLabCut tables as CSV: with and without frame numbers, names of levels, and scorer."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from dlclive_core import DataError, PoseRecording
from dlclive_io.deeplabcut.columns import LEVELS, MOST_COLUMNS, Columns
from dlclive_io.deeplabcut.rows import Block, check_number, recording_of, rows_of_block
from dlclive_io.output_file import reason

_LONGEST_LINE = 16 << 20
_FIRST_BYTES = 1 << 16
_COORDS = {"x", "y", "z", "likelihood"}


@dataclass(frozen=True, slots=True)
class _Header:
    """The first lines.

    Attributes:
        lines: their number.
        before: columns before those of the poses: 1 with frame numbers, 0 without; more: the parts of images' paths.
        names: of the levels; empty if the file does not have them.
        columns: a tuple of names for each column.
    """

    lines: int
    before: int
    names: tuple[str, ...]
    columns: list[tuple[str, ...]]


def is_csv_table(path: Path) -> bool:
    """Whether the first lines of a file are DeepLabCut's header."""
    try:
        with path.open("rb") as file:
            if b"\0" in file.read(_FIRST_BYTES):
                return False
        _header(path)
    except (DataError, OSError):
        return False
    return True


def read_csv(path: Path) -> PoseRecording:
    """Open a table. Raises DataError."""
    header = _header(path)
    columns = Columns(path, header.names, header.columns)
    first = next(_blocks(path, header), None)
    if first is None:
        last: int | None = -1
    elif isinstance(first.index, list):
        last = None
    else:
        last = _last_number(path, header)
    return recording_of(path, columns, lambda: _blocks(path, header), last)


def _header(path: Path) -> _Header:
    with _errors(path) as at, _open(path) as file:
        rows = []
        for _ in range(len(LEVELS) + 1):
            row = next(csv.reader([_line(file)]), None)
            if not row:
                break
            rows.append([cell.strip() for cell in row])
        at.line = 0
        return _parse_header(path, rows)


def _parse_header(path: Path, rows: list[list[str]]) -> _Header:
    """Find the line of coords: all lines down to it are the header."""
    for number, row in enumerate(rows[: len(LEVELS)]):
        named = row[0].lower() == "coords"
        before = 1 if named else 0
        while named and before < len(row) and not row[before]:
            before += 1
        coords = {cell.lower() for cell in row[before:]}
        if number and {"x", "y"} <= coords <= _COORDS:
            break
    else:
        raise DataError(f"{path} is not a DeepLabCut table: its first lines have no scorer, bodyparts and coords")
    levels = rows[: number + 1]
    if len({len(level) for level in levels}) != 1 or len(row) - before > MOST_COLUMNS:
        raise DataError(f"{path} is not a DeepLabCut table: its first lines have different lengths, or are too long")
    names = tuple(level[0] for level in levels) if named else ()
    columns = list(zip(*(level[before:] for level in levels), strict=True))
    lines = number + 1
    if (
        len(rows) > lines
        and len(rows[lines]) > before
        and not any(rows[lines][before:])
        and not rows[lines][0].isdecimal()
    ):
        lines += 1  # pandas' names of the index
    return _Header(lines, before, names, columns)


def _blocks(path: Path, header: _Header) -> Iterator[Block]:
    width = len(header.columns)
    size = rows_of_block(width)
    with _errors(path) as at, _open(path) as file:
        for _ in range(header.lines):
            _line(file)
        at.line = header.lines
        index: list[str] = []
        values = []
        counted = 0
        while line := _line(file):
            at.line += 1
            row = next(csv.reader([line]), [])
            if not row:
                continue
            if len(row) != header.before + width:
                raise ValueError(f"{len(row)} values for {header.before + width} columns")
            index.append("/".join(row[: header.before]) if header.before else str(counted))
            values.append([float(cell or "nan") for cell in row[header.before :]])
            counted += 1
            if len(index) == size:
                yield _block(index, values)
                index, values = [], []
        if index:
            yield _block(index, values)


def _block(index: list[str], values: list[list[float]]) -> Block:
    is_numbered = index[0].isascii() and index[0].isdecimal()
    numbers = np.array([_number(text) for text in index], np.int64) if is_numbered else index
    return Block(numbers, np.array(values, np.float64))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ValueError(f"{text[:40]!r} is not a frame number")
    return int(text)


def _last_number(path: Path, header: _Header) -> int:
    """The number of the last row, from the end of the file where rows are numbered."""
    if not header.before:
        with _errors(path), _open(path) as file:
            return sum(1 for line in iter(lambda: _line(file), "") if line.strip()) - header.lines - 1
    with _errors(path), path.open("rb") as raw:
        end = raw.seek(0, os.SEEK_END)
        tail = b""
        while end > 0 and tail.strip().count(b"\n") < 1:
            step = min(end, 1 << 16)
            end -= step
            raw.seek(end)
            tail = raw.read(step) + tail
            if len(tail) > 2 * _LONGEST_LINE:
                raise ValueError("the last line is too long")
        last = tail.strip().rpartition(b"\n")[2].decode("utf-8", "replace")
        return check_number(path, _number(last.partition(",")[0]))


def _open(path: Path) -> IO[str]:
    return path.open(newline="", encoding="utf-8-sig", errors="replace")


def _line(file: IO[str]) -> str:
    """The next row; a name in quotes may hold line ends. Empty at the end."""
    line = file.readline(_LONGEST_LINE)
    while line.count('"') % 2 and len(line) < _LONGEST_LINE and (more := file.readline(_LONGEST_LINE)):
        line += more
    if len(line) >= _LONGEST_LINE:
        raise ValueError("the line is too long")
    return line


@dataclass(slots=True)
class _At:
    line: int = 0


@contextmanager
def _errors(path: Path) -> Iterator[_At]:
    at = _At()
    try:
        yield at
    except (ValueError, csv.Error) as error:
        where = f"{path}, line {at.line}" if at.line else f"{path} cannot be read as a table"
        raise DataError(f"{where}: {' '.join(str(error).split())[:200]}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from None
