"""DeepLabCut's table as HDF5, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tables
from numpy.typing import NDArray

from dlclive_io.table_layout import TableLayout

KEY = "df_with_missing"
PANDAS_VERSION = "0.15.2"
"""What pandas has written into each file since 2014, and stopped writing in 3.1; older readers look for it."""

_UNKNOWN_LENGTH = 100_000  # rows, to choose the size of chunks


class Hdf5Table:
    """Writes the layout that pandas calls "fixed" and every pandas reads, without holding the table in memory.

    pandas itself writes the header, with one row, so that the layout is its own; then the two nodes that grow with the
    table, index and values, are put in again as arrays that can be appended to.

    Values are float64 as in DeepLabCut's files, and hold the float32 of the pose exactly.
    """

    suffix = ".h5"

    def __init__(self, path: Path, layout: TableLayout, expected_rows: int | None) -> None:
        columns = pd.MultiIndex.from_tuples(layout.columns, names=layout.names)
        pd.DataFrame(np.zeros((1, len(columns))), columns=columns).to_hdf(path, key=KEY, format="fixed", mode="w")
        self._file = tables.open_file(str(path), "r+")
        try:
            group = self._file.root[KEY]
            group._v_attrs.pandas_version = PANDAS_VERSION
            rows = expected_rows or _UNKNOWN_LENGTH
            self._index = self._growing(group, "axis1", tables.Int64Atom(), (0,), rows)
            self._values = self._growing(group, "block0_values", tables.Float64Atom(), (0, len(columns)), rows)
            self._file.flush()
        except BaseException:
            self._file.close()
            raise

    def append(self, first: int, rows: NDArray[np.float32]) -> None:
        """Append (N, columns) rows for the frames from number `first`."""
        self._values.append(rows.astype(np.float64))
        self._index.append(np.arange(first, first + len(rows), dtype=np.int64))

    def flush(self) -> None:
        """Give everything to the system, so that a killed process leaves a table that can be read."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _growing(self, group: Any, name: str, atom: Any, shape: tuple[int, ...], rows: int) -> Any:
        """Replace an array by an empty one of the same attributes that can grow."""
        old = group[name]
        attributes = {key: old._v_attrs[key] for key in old._v_attrs._f_list("user")}
        old.remove()
        new = self._file.create_earray(group, name, atom, shape, expectedrows=rows)
        for key, value in attributes.items():
            new._v_attrs[key] = value
        return new
