"""An HDF5 file that grows row by row and survives a full disk."""

from __future__ import annotations

import os
from pathlib import Path

import tables

from dlclive_io.tables.row_blocks import Values

KEY = "df_with_missing"
PANDAS_VERSION = "0.15.2"
"""The version that pandas wrote into every file from 2014 until 3.1; older readers require it."""

CHUNK_BYTES = 65_536
_MARGIN = 262_144  # bytes, for HDF5's own records of the chunks


class Hdf5File:
    """The part of a table's file that does not depend on its layout.

    PyTables does not report a full disk and loses the file. Therefore the file is extended, by more than the rows can need,
    before they are passed on: on failure the system's error is raised here and HDF5 never tries to write. `close` truncates
    the unused space.

    A killed process may leave an unreadable file: see `PoseJournal`.

    Args:
        path: of the file.
        row_bytes: size of a row.
        mode: "w" to create the file, "r+" to extend an existing one.
    """

    def __init__(self, path: Path, row_bytes: int, mode: str = "w") -> None:
        self._unflushed = 0  # bytes
        self._row_bytes = row_bytes
        # Chunks are written once and in order: HDF5 needs to cache only the last one, not a megabyte of them.
        self._file = tables.open_file(str(path), mode, chunk_cache_size=2 * max(CHUNK_BYTES, row_bytes))
        try:
            self._room = path.open("rb+", buffering=0)
        except BaseException:
            self._file.close()
            raise

    def append(self, first: int, rows: Values) -> None:
        """Append (N, columns) rows; `first` is the frame number of the first. Raises OSError if the disk is full."""
        size = len(rows) * self._row_bytes
        if self._unflushed > _MARGIN:
            self.flush()
        self._reserve(size)
        self._unflushed += size
        self._append(first, rows)

    def flush(self) -> None:
        """Pass all rows to the operating system."""
        self._file.flush()
        self._unflushed = 0

    def finish(self) -> None:
        """Add the parts that only a complete table has. Call it once, before `close`."""

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

    def _append(self, first: int, rows: Values) -> None:
        raise NotImplementedError

    def _reserve(self, more: int) -> None:
        """Make sure that the disk has room for `more` bytes of rows and for the unflushed ones."""
        chunk = max(CHUNK_BYTES, self._row_bytes)
        length = self._file.get_filesize() + self._unflushed + more + 2 * chunk + _MARGIN
        position = self._room.seek(0, os.SEEK_END)
        while position < length:
            position += self._room.write(bytes(length - position))
