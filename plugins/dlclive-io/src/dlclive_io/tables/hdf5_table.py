"""DeepLabCut's table as HDF5, row by row."""

from __future__ import annotations

import logging
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import tables

from dlclive_io.tables.hdf5_file import KEY, PANDAS_VERSION, Hdf5File
from dlclive_io.tables.row_blocks import Values
from dlclive_io.tables.table_layout import TableLayout

_log = logging.getLogger(__name__)

VALUES = "values_block_0"
LONGEST_ATTRIBUTE = 64_000  # bytes; HDF5 takes 65,536 with its own header

_INDEX_BYTES = (
    64  # for each row, while its index is built: more than PyTables takes for the index and its temporary file
)
_INDEX_LEAST = 8 << 20


class Hdf5Table(Hdf5File):
    """Writes what `DataFrame.to_hdf(key="df_with_missing", format="table")` writes, as DeepLabCut calls it.

    The node `/df_with_missing/table` has the columns `index` (int64) and `values_block_0` (all values of a row, float64, in
    the order of the header), so that MATLAB and R read it, too. Attributes hold the header. Every pandas from 2.2 reads
    it; pandas itself is not used, because version 3.1 writes attributes that version 2 does not know.

    Values are float64, as in DeepLabCut's files, and hold the float32 of the pose exactly.
    """

    suffix = ".h5"

    def __init__(self, path: Path, layout: TableLayout) -> None:
        count = len(layout.columns)
        super().__init__(path, 8 * (count + 1))
        try:
            self._reserve(0)
            group = self._file.create_group("/", KEY)
            columns = {"index": tables.Int64Col(pos=0), VALUES: tables.Float64Col(shape=(count,), pos=1)}
            self._table = self._file.create_table(group, "table", columns)
            for node, attributes in ((group, _group_attributes(layout)), (self._table, _table_attributes(layout))):
                for name, value in attributes.items():
                    node._v_attrs[name] = value
            self._file.flush()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def fits(layout: TableLayout) -> bool:
        """Whether the header fits into HDF5's attributes: some 3,500 columns do, depending on their names."""
        return len(_pickled([(1, layout.columns)])) <= LONGEST_ATTRIBUTE

    def finish(self) -> None:
        """Build the index of the column `index`, with which pandas selects rows. Without space for it there is none."""
        try:
            self._reserve(_INDEX_LEAST + _INDEX_BYTES * self._table.nrows)
        except OSError as error:
            _log.warning("the table has no index, which changes nothing but the time for `where=`: %s", error.strerror)
            return
        self._table.cols.index.create_index()

    def _append(self, first: int, rows: Values) -> None:
        records = np.empty(len(rows), self._table.dtype)
        records["index"] = np.arange(first, first + len(rows), dtype=np.int64)
        records[VALUES] = rows
        self._table.append(records)


def _group_attributes(layout: TableLayout) -> dict[str, Any]:
    """What pandas keeps about a table: PyTables writes lists, dictionaries and None as pickles."""
    return {
        "pandas_type": "frame_table",
        "pandas_version": PANDAS_VERSION,
        "encoding": "UTF-8",
        "errors": "strict",
        "table_type": "appendable_frame",
        "levels": np.int64(1),
        "nan_rep": "nan",
        "index_cols": [(0, "index")],
        "values_cols": [VALUES],
        "data_columns": [],
        "non_index_axes": _short([(1, layout.columns)]),
        "info": {1: {"names": list(layout.names), "type": "MultiIndex"}, "index": {}, VALUES: {}},
    }


def _table_attributes(layout: TableLayout) -> dict[str, Any]:
    return {
        "index_kind": "integer",
        f"{VALUES}_kind": _short(layout.columns),
        f"{VALUES}_dtype": "float64",
        f"{VALUES}_meta": None,
    }


def _short(value: Any) -> Any:
    """The value itself, or if its pickle is too long for an attribute, a shorter pickle of it, which reads the same."""
    return value if len(pickle.dumps(value, 0)) <= LONGEST_ATTRIBUTE else np.bytes_(_pickled(value))


def _pickled(value: Any) -> bytes:
    """As PyTables does it, in protocol 0, which is text; without the marks that nothing refers to."""
    return pickletools.optimize(pickle.dumps(value, 0))
