"""The rows of a DeepLabCut table that dlclive wrote. No table is unpickled: a stranger's could run a program."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import tables
from numpy.typing import NDArray

from dlclive_core import DataError
from dlclive_io.output_file import reason
from dlclive_io.tables.hdf5_file import KEY
from dlclive_io.tables.hdf5_table import VALUES
from dlclive_io.tables.no_pickle import without_unpickling
from dlclive_io.tables.table_layout import TableLayout

Row = tuple[int, NDArray[np.float32]]

_BLOCK = 256  # rows
_LONGEST_LINE = 16 << 20


def is_pose_table(path: Path) -> bool:
    """Whether a file may be a table of poses, by its first bytes."""
    try:
        with path.open("rb") as file:
            beginning = file.read(8)
    except OSError:
        return False
    return beginning == b"\x89HDF\r\n\x1a\n" or beginning.startswith(b"scorer,")


def table_rows(path: Path, layout: TableLayout) -> Iterator[Row]:
    """Yield (frame number, values) of each row, in order. Raises DataError if it is not a table of this layout."""
    suffix = Path(path.name.removesuffix(".part")).suffix.lower()  # as a killed run left it
    return _hdf5_rows(path, layout) if suffix == ".h5" else _csv_rows(path, layout)


def _csv_rows(path: Path, layout: TableLayout) -> Iterator[Row]:
    line = 0
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(_lines(file))
            header = [next(rows, [])[1:] for _ in layout.names]
            if list(zip(*header, strict=False)) != [_escaped(column) for column in layout.columns]:
                raise DataError(f"{path} is not a table of this model: its keypoints or animals are others")
            line = len(header)
            for row in rows:
                line += 1
                if len(row) != len(layout.columns) + 1:
                    raise ValueError(f"{len(row)} values for {len(layout.columns) + 1} columns")
                yield int(row[0]), np.array([float(cell or "nan") for cell in row[1:]], np.float32)
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path}, line {line}: {' '.join(str(error).split())[:200]}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from None


def _lines(file: IO[str]) -> Iterator[str]:
    """The whole lines: the last one of a killed run may be incomplete."""
    while (line := file.readline(_LONGEST_LINE)).endswith("\n"):
        yield line
    if len(line) == _LONGEST_LINE:
        raise ValueError("the line is too long")


def _escaped(column: tuple[str, ...]) -> tuple[str, ...]:
    """As `CsvTable` writes names."""
    return tuple(name.encode("utf-8", "backslashreplace").decode() for name in column)


def _hdf5_rows(path: Path, layout: TableLayout) -> Iterator[Row]:
    width = len(layout.columns)
    try:
        with without_unpickling():
            file = tables.open_file(str(path))
        with file:
            with without_unpickling():
                read, count = _hdf5_reader(path, file.root[KEY], width)
            for start in range(0, count, _BLOCK):
                with without_unpickling():
                    numbers, rows = read(start, min(start + _BLOCK, count))
                for number, row in zip(numbers, np.asarray(rows, np.float32), strict=True):
                    yield int(number), row
    except (
        tables.HDF5ExtError,
        tables.NoSuchNodeError,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        OSError,
    ) as error:
        raise DataError(f"{path} cannot be read as a table: {reason(error).splitlines()[0][:200]}") from None


def _hdf5_reader(path: Path, group: Any, width: int) -> tuple[Callable[[int, int], tuple[Any, Any]], int]:
    """How to read the rows from one to another, and how many there are. Other kinds of node hold pickled objects."""
    if "table" in group:
        table = group.table
        if type(table) is not tables.Table:
            raise DataError(f"{path} is not a table of this model")
        _check_width(path, table.coldtypes[VALUES].shape if VALUES in table.colnames else (), width)

        def read_table(start: int, stop: int) -> tuple[Any, Any]:
            block = table.read(start, stop)
            return block["index"], block[VALUES]

        return read_table, int(table.nrows)
    index, values = group.axis1, group.block0_values
    if not all(type(node) in (tables.Array, tables.CArray, tables.EArray) for node in (index, values)):
        raise DataError(f"{path} is not a table of this model")
    _check_width(path, values.shape[1:], width)
    return (lambda start, stop: (index[start:stop], values[start:stop])), min(len(index), len(values))


def _check_width(path: Path, shape: tuple[int, ...], width: int) -> None:
    if shape != (width,):
        raise DataError(
            f"{path} is not a table of this model: it has {shape[0] if shape else 'no'} columns of values, not {width}"
        )
