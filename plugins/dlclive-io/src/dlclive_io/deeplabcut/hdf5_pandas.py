"""DeepLabCut tables in HDF5, in both of pandas' layouts, from pandas 1 to 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, DLCLiveError, PoseRecording
from dlclive_io.deeplabcut.columns import LEVELS, MOST_COLUMNS, Columns
from dlclive_io.deeplabcut.hdf5_attributes import attribute, errors, opened
from dlclive_io.deeplabcut.labelled_table import LabelledTable
from dlclive_io.deeplabcut.plain_pickle import plain_value
from dlclive_io.deeplabcut.rows import Block, check_number, recording_of, rows_of_block
from dlclive_io.deeplabcut.shown_names import shown_names
from dlclive_io.hdf5_nodes import child, members, records

_KEYS = ("df_with_missing", "tracks", "keypoints")
"""Those that DeepLabCut writes."""
_MOST_BLOCKS = 1000
_MOST_LABELS = 50_000_000  # values
_MOST_TEXT = 16 << 20  # bytes of the names of a level

Read = Callable[[int, int], tuple[Any, NDArray[np.float64]]]


def is_hdf5_table(path: Path) -> bool:
    """Whether a file is HDF5 with a table of pandas in which columns have the levels bodyparts and coords."""
    try:
        with opened(path) as file:
            group = _group(file)
            names = _table_header(group)[0] if "table" in group else _fixed_names(group, "axis0")
        return not any(names) or {"bodyparts", "coords"} <= {str(name).lower() for name in names}
    except DLCLiveError:
        return False


def read_hdf5(path: Path) -> PoseRecording:
    """Open a table. Raises DataError."""
    with opened(path) as file:
        table = _Table(path, _group(file))
        if table.is_images:
            last = None
        else:
            last = check_number(path, int(table.read(table.count - 1, table.count)[0][0])) if table.count else -1
    return recording_of(path, table.columns, lambda: _blocks(path), last)


def read_labels(path: Path) -> LabelledTable:
    """Read a table whose rows are named by images, whole; there are a few thousand at most. Raises DataError."""
    with opened(path) as file:
        group = _group(file)
        names, columns, is_images, count, read = (_table_reader if "table" in group else _fixed_reader)(group)
        if not is_images:
            raise DataError("its rows are numbered, not named by images")
        if count * len(columns) > _MOST_LABELS:
            raise DataError(f"it has {count} x {len(columns)} values")
        images, values = read(0, count)
    rows = [tuple(image.replace("\\", "/").split("/")) for image in images]  # DeepLabCut 2 names them by paths
    return LabelledTable(tuple(name or "" for name in names), columns, rows, values)


def _blocks(path: Path) -> Iterator[Block]:
    with opened(path) as file:
        table = _Table(path, _group(file))
        size = rows_of_block(table.width)
        for start in range(0, table.count, size):
            with errors(path):
                block = Block(*table.read(start, min(start + size, table.count)))
            yield block


class _Table:
    """The rows and columns of a pandas table.

    Attributes:
        columns: see `Columns`.
        width: number of columns.
        count: number of rows.
        is_images: whether rows are named by images, not numbered.
        read: reads the rows from one to another: their index, and (n, width) values.
    """

    def __init__(self, path: Path, group: Any) -> None:
        reader = _table_reader if "table" in group else _fixed_reader
        names, columns, self.is_images, self.count, self.read = reader(group)
        self.width = len(columns)
        self.columns = Columns(path, names, columns)


_Reader = tuple[Sequence[str | None], list[tuple[str, ...]], bool, int, Read]


def _table_reader(group: Any) -> _Reader:
    """Of pandas' layout "table"."""
    table = records(group, "table")
    fields = table.dtype.fields or {}
    if table.ndim != 1 or "index" not in fields:
        raise DataError("its table has no index")
    names, columns = _table_header(group)
    place = {column: index for index, column in enumerate(columns)}
    blocks = []
    for name in _names(plain_value(attribute(group, "values_cols"))):
        if name not in fields or name == "index":
            raise DataError(f"its table has no column {shown_names([name])}")
        kind = [_text(column) for column in _items(plain_value(attribute(table, f"{name}_kind")))]
        values = fields[name][0]
        if (values.shape or (1,)) != (len(kind),) or values.base.kind not in "fiu":
            raise DataError(f"{shown_names([name])} has not a number for each of its {len(kind)} columns")
        blocks.append((name, [place[column] for column in kind]))
    index = fields["index"][0]
    is_images = index.kind == "S"
    if not is_images and index.kind not in "iu":
        raise DataError("its rows are neither numbered nor named by images")

    def read(start: int, stop: int) -> tuple[Any, NDArray[np.float64]]:
        rows = table[start:stop]
        values = np.full((len(rows), len(columns)), np.nan)
        for name, places in blocks:
            values[:, places] = rows[name].reshape(len(rows), -1)
        return _index(rows["index"]), values

    return names, columns, is_images, len(table), read


def _table_header(group: Any) -> tuple[list[str | None], list[tuple[str, ...]]]:
    (number, columns), *_ = _items(plain_value(attribute(group, "non_index_axes")))
    info = plain_value(attribute(group, "info"))
    names = info[number].get("names") if isinstance(info, dict) and isinstance(info.get(number), dict) else ()
    return [name if isinstance(name, str) else None for name in names or ()], [
        _text(column) for column in _items(columns)
    ]


def _fixed_reader(group: Any) -> _Reader:
    """Of pandas' layout "fixed"."""
    names, columns = _fixed_names(group, "axis0"), _fixed_axis(group, "axis0")
    place = {column: index for index, column in enumerate(columns)}
    count_of_blocks = attribute(group, "nblocks")
    if not isinstance(count_of_blocks, int) or not 0 < count_of_blocks <= _MOST_BLOCKS:
        raise DataError(f"it has {shown_names([count_of_blocks])} blocks")
    blocks = []
    for number in range(count_of_blocks):
        items, values = _fixed_axis(group, f"block{number}_items"), records(group, f"block{number}_values")
        if values.ndim != 2 or values.shape[1] != len(items) or values.dtype.kind not in "fiu":
            raise DataError(f"block {number} has not a number for each of its {len(items)} columns")
        blocks.append((values, [place[item] for item in items]))
    count = min(len(values) for values, _ in blocks)
    index: Callable[[int, int], Any]
    if _plain_text(attribute(group, "axis1_variety")) == "multi":
        images = ["/".join(names) for names in zip(*_levels_of(group, "axis1"), strict=True)]
        is_images, length, index = True, len(images), lambda start, stop: images[start:stop]
    else:
        array = records(group, "axis1")
        if array.dtype.kind not in "iuS" or array.ndim != 1:
            raise DataError("its rows are neither numbered nor named by images")
        is_images, length, index = array.dtype.kind == "S", len(array), lambda start, stop: _index(array[start:stop])
    if length != count:
        raise DataError(f"it is inconsistent: {length} frame numbers for {count} rows")

    def read(start: int, stop: int) -> tuple[Any, NDArray[np.float64]]:
        table = np.full((stop - start, len(columns)), np.nan)
        for values, places in blocks:
            table[:, places] = values[start:stop]
        return index(start, stop), table

    return names, columns, is_images, count, read


def _fixed_names(group: Any, axis: str) -> list[str | None]:
    """The names of an axis' levels."""
    levels = [child(group, f"{axis}_level{level}") for level in range(_depth(group, axis))]
    if None in levels:
        raise DataError(f"{axis} has no names")
    names = [plain_value(attribute(level, "name", None)) for level in levels]
    return [str(name) if isinstance(name, str) else None for name in names]


def _fixed_axis(group: Any, axis: str) -> list[tuple[str, ...]]:
    """The names of the columns."""
    return list(zip(*_levels_of(group, axis), strict=True))


def _levels_of(group: Any, axis: str) -> list[list[str]]:
    """The names on each level: pandas keeps a list of names, and for each column or row a place in it."""
    levels = []
    for level in range(_depth(group, axis)):
        labels, names = records(group, f"{axis}_label{level}"), records(group, f"{axis}_level{level}")
        if max(len(labels), len(names)) > MOST_COLUMNS:
            raise DataError(f"{axis} has more than {MOST_COLUMNS} names")
        if names.dtype.itemsize * len(names) > _MOST_TEXT:
            raise DataError(f"{axis} declares more text than names have")
        places = labels[:]
        if names.dtype.kind != "S" or places.dtype.kind not in "iu" or places.ndim != 1 or names.ndim != 1:
            raise DataError(f"{axis} has no names")
        if ((places < 0) | (places >= len(names))).any():
            raise DataError(f"{axis} lacks a name")
        texts = _index(names[:])
        levels.append([texts[place] for place in places])
    return levels


def _depth(group: Any, axis: str) -> int:
    """The number of an axis' levels."""
    levels = (
        attribute(group, f"{axis}_nlevels", 1) if _plain_text(attribute(group, f"{axis}_variety")) == "multi" else 1
    )
    if not isinstance(levels, int) or not 1 < levels <= len(LEVELS):
        raise DataError(f"its columns or rows have {shown_names([levels])} levels of names")
    return levels


def _index(values: Any) -> Any:
    """Frame numbers as int64, names as text."""
    if values.dtype.kind == "S":
        return [name.decode("utf-8", "replace") for name in values.tolist()]
    return values.astype(np.int64)


def _group(file: Any) -> Any:
    """The group of the table: DeepLabCut's, or the only one."""
    found = {
        name: group
        for name, group in members(file)
        if _plain_text(attribute(group, "pandas_type", "")) in ("frame", "frame_table")
    }
    for key in _KEYS:
        if key in found:
            return found[key]
    if len(found) != 1:
        what = f"several tables ({shown_names(sorted(found))})" if found else "no table of pandas"
        raise DataError(f"it has {what}; DeepLabCut's are called {', '.join(_KEYS)}")
    return next(iter(found.values()))


def _names(values: Any) -> list[str]:
    names = _items(values)
    if not all(isinstance(name, str) for name in names):
        raise DataError("its header is not a list of names")
    return [str(name) for name in names]


def _items(values: Any) -> list[Any]:
    if not isinstance(values, list | tuple) or len(values) > MOST_COLUMNS:
        raise DataError("its header is not a list of names")
    return list(values)


def _text(column: Any) -> tuple[str, ...]:
    if not isinstance(column, tuple) or not all(isinstance(name, str) for name in column):
        raise DataError("its columns have one level of names")
    return tuple(str(name) for name in column)


def _plain_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
