"""DeepLabCut's table as HDF5, row by row."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tables
from numpy.typing import NDArray

from dlclive_io.tables.table_layout import TableLayout

KEY = "df_with_missing"
PANDAS_VERSION = "0.15.2"
"""The version that pandas wrote into each file from 2014 until 3.1; older readers look for it."""

_CHUNK_BYTES = 65_536
_MARGIN = 262_144  # bytes, for what HDF5 itself keeps about chunks


class Hdf5Table:
    """Writes pandas' "fixed" layout, which every pandas reads, without holding the table in memory.

    pandas itself writes the header and one row, which fixes the layout; then the two nodes that grow with the table,
    index and values, are replaced by arrays that can be appended to.

    A killed process may leave an unreadable file: see `PoseJournal`.

    Values are float64, as in DeepLabCut's files, and hold the float32 of the pose exactly.

    PyTables does not report a full disk, and the file is then lost. So the file is extended before rows are handed over,
    by more than they can need: if that fails, the system's error is raised here and HDF5 never tries to write. `close`
    truncates the unused space.
    """

    suffix = ".h5"

    def __init__(self, path: Path, layout: TableLayout) -> None:
        columns = pd.MultiIndex.from_tuples(layout.columns, names=layout.names)
        pd.DataFrame(np.zeros((1, len(columns))), columns=columns).to_hdf(path, key=KEY, format="fixed", mode="w")
        self._path = path
        self._unflushed = 0  # bytes
        self._row_bytes = 8 * (len(columns) + 1)
        self._room = path.open("rb+", buffering=0)
        try:
            # Chunks are written once and in order: HDF5 needs to remember the last one only, not a megabyte of them.
            self._file = tables.open_file(str(path), "r+", chunk_cache_size=2 * _CHUNK_BYTES)
        except BaseException:
            self._room.close()
            raise
        try:
            self._reserve(0)
            group = self._file.root[KEY]
            group._v_attrs.pandas_version = PANDAS_VERSION
            rows = max(1, _CHUNK_BYTES // self._row_bytes)
            self._index = self._growing(group, "axis1", tables.Int64Atom(), (), rows)
            self._values = self._growing(group, "block0_values", tables.Float64Atom(), (len(columns),), rows)
            self._file.flush()
        except BaseException:
            self.close()
            raise

    def append(self, first: int, rows: NDArray[np.float32]) -> None:
        """Append (N, columns) rows; `first` is the frame number of the first. Raises OSError if the disk is full."""
        size = len(rows) * self._row_bytes
        if self._unflushed > _MARGIN:
            self.flush()
        self._reserve(size)
        self._unflushed += size
        self._values.append(rows.astype(np.float64))
        self._index.append(np.arange(first, first + len(rows), dtype=np.int64))

    def flush(self) -> None:
        """Hand all rows to the operating system."""
        self._file.flush()
        self._unflushed = 0

    def close(self) -> None:
        """Close the file."""
        try:
            if self._file.isopen:
                self._file.flush()
                length = self._file.get_filesize()
                self._file.close()
                self._room.truncate(length)
        finally:
            self._room.close()

    def _reserve(self, more: int) -> None:
        """Make sure that the disk has room for `more` bytes of rows and for what is not flushed yet."""
        length = self._file.get_filesize() + self._unflushed + more + 2 * _CHUNK_BYTES + _MARGIN
        position = self._room.seek(0, os.SEEK_END)
        while position < length:
            position += self._room.write(bytes(length - position))

    def _growing(self, group: Any, name: str, atom: Any, shape: tuple[int, ...], rows: int) -> Any:
        """Replace an array by an empty, extendable one with the same attributes and `rows` per chunk."""
        old = group[name]
        attributes = {key: old._v_attrs[key] for key in old._v_attrs._f_list("user")}
        old.remove()
        new = self._file.create_earray(group, name, atom, (0, *shape), chunkshape=(rows, *shape))
        for key, value in attributes.items():
            new._v_attrs[key] = value
        return new
