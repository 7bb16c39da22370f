"""Writes a small labelled table as HDF5, in pandas' layout "fixed", in which DeepLabCut keeps labels.

The node `/df_with_missing` holds the labels of the rows (`axis1`) and of the columns (`axis0`), each as levels of names and,
per level, the number of the name of each row or column (-1 for none); and for each block of values the labels of its columns
(`block0_items`) and a (rows, columns) array. All are plain arrays: nothing is pickled. pandas is not needed, and each
version from 2.2 reads the file. (Its table layout cannot hold rows that have several labels each.)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tables
from numpy.typing import NDArray

from dlclive_io.deeplabcut.labelled_table import Label, LabelledTable
from dlclive_io.tables.hdf5_file import KEY, PANDAS_VERSION


def write_fixed(path: Path, table: LabelledTable) -> None:
    """Write a table with at least one row into an existing empty file. Raises OSError."""
    with tables.open_file(str(path), "w") as file:
        group = file.create_group("/", KEY)
        for name, value in {
            "pandas_type": "frame",
            "pandas_version": PANDAS_VERSION,
            "encoding": "UTF-8",
            "errors": "strict",
            "ndim": np.int64(2),
            "nblocks": np.int64(1),
        }.items():
            group._v_attrs[name] = value
        _write_labels(file, group, "axis0", table.columns, table.names)
        _write_labels(file, group, "axis1", table.rows, ())
        _write_labels(file, group, "block0_items", table.columns, table.names)
        _write_array(file, group, "block0_values", table.values)


def _write_labels(file: Any, group: Any, name: str, labels: Sequence[Label], names: Label) -> None:
    count = len(labels[0])
    group._v_attrs[f"{name}_variety"] = "multi"
    group._v_attrs[f"{name}_nlevels"] = np.int64(count)
    for number in range(count):
        texts = [label[number] for label in labels]
        level = sorted(set(texts))
        places = {text: place for place, text in enumerate(level)}
        encoded = [text.encode("utf-8") for text in level]
        node = _write_array(file, group, f"{name}_level{number}", np.array(encoded, f"S{max(map(len, encoded)) or 1}"))
        node._v_attrs["kind"] = "string"
        if names:
            node._v_attrs["name"] = names[number]
        _write_array(file, group, f"{name}_label{number}", np.array([places[text] for text in texts], np.int32))


def _write_array(file: Any, group: Any, name: str, values: NDArray[Any]) -> Any:
    node = file.create_array(group, name, values)
    node._v_attrs["transposed"] = np.True_  # pandas' word for: as they are, rows first
    return node
