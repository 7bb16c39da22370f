"""An HDF5 table, written row by row, whose header is too long for DeepLabCut's layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tables

from dlclive_core import DependencyError
from dlclive_io.tables.hdf5_file import CHUNK_BYTES, KEY, PANDAS_VERSION, Hdf5File
from dlclive_io.tables.row_blocks import Values
from dlclive_io.tables.table_layout import TableLayout


class WideHdf5Table(Hdf5File):
    """Writes pandas' "fixed" layout, which stores the header in arrays of any length; `pandas.read_hdf` reads both layouts.

    pandas writes the header and one row, which fixes the layout. The two nodes that grow with the table, index and values,
    are then replaced by extendable arrays.
    """

    def __init__(self, path: Path, layout: TableLayout) -> None:
        try:
            import pandas as pd
        except ImportError:
            raise DependencyError(
                f"{path.name}: HDF5 tables of {len(layout.columns)} columns need pandas; run: pip install pandas, or write .csv"
            ) from None

        columns = pd.MultiIndex.from_tuples(layout.columns, names=layout.names)
        pd.DataFrame(np.zeros((1, len(columns))), columns=columns).to_hdf(path, key=KEY, format="fixed", mode="w")
        super().__init__(path, 8 * (len(columns) + 1), mode="r+")
        try:
            self._reserve(0)
            group = self._file.root[KEY]
            group._v_attrs.pandas_version = PANDAS_VERSION
            rows = max(1, CHUNK_BYTES // self._row_bytes)
            self._index = self._growing(group, "axis1", tables.Int64Atom(), (), rows)
            self._values = self._growing(group, "block0_values", tables.Float64Atom(), (len(columns),), rows)
            self._file.flush()
        except BaseException:
            self.close()
            raise

    def _append(self, first: int, rows: Values) -> None:
        self._values.append(rows.astype(np.float64))
        self._index.append(np.arange(first, first + len(rows), dtype=np.int64))

    def _growing(self, group: Any, name: str, atom: Any, shape: tuple[int, ...], rows: int) -> Any:
        """Replace an array with an empty, extendable one of the same attributes, with `rows` rows per chunk."""
        old = group[name]
        attributes = {key: old._v_attrs[key] for key in old._v_attrs._f_list("user")}
        old.remove()
        new = self._file.create_earray(group, name, atom, (0, *shape), chunkshape=(rows, *shape))
        for key, value in attributes.items():
            new._v_attrs[key] = value
        return new
