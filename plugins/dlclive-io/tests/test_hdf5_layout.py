"""The HDF5 table equals DeepLabCut's pandas output node by node, so that readers of its files can read ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tables
from dlclive_io.tables.hdf5_file import Hdf5File
from dlclive_io.tables.hdf5_table import Hdf5Table
from dlclive_io.tables.open_table import open_hdf5
from dlclive_io.tables.table_layout import TableLayout
from dlclive_io.tables.wide_hdf5_table import WideHdf5Table

from dlclive_core import DependencyError, ModelCard, Skeleton

SINGLE = ModelCard(net_type="test", skeleton=Skeleton(("nose", "tail base")), scorer="DLC_Resnet50_reachshuffle1")
MULTI = SINGLE.with_(individuals=("ada", "bob"), multi_animal=True, unique_keypoints=("lever",))

SINCE_PANDAS_3_1 = {"data_col_nan_rep", "mi_level_nan_rep", "nan_rep", "pandas_version"}
"""Attributes of the group that differ from those of pandas 2, which DeepLabCut needs: two are new, one None, one missing."""


def _wide(individuals: int) -> ModelCard:
    return ModelCard(
        net_type="test",
        skeleton=Skeleton(tuple(f"keypoint_{number}" for number in range(40))),
        scorer="DLC_Resnet50_reachshuffle1",
        individuals=tuple(f"individual{number}" for number in range(individuals)),
        multi_animal=True,
    )


def _rows(count: int, columns: int) -> np.ndarray:
    rows = np.random.default_rng(0).uniform(0, 1000, (count, columns)).astype(np.float32)
    rows[1] = np.nan
    return rows


def _write(path: Path, card: ModelCard, rows: np.ndarray) -> Hdf5File:
    table = open_hdf5(path, TableLayout(card))
    for first in range(0, len(rows), 7):
        table.append(first, rows[first : first + 7])
    table.finish()
    table.close()
    return table


def _write_with_pandas(path: Path, card: ModelCard, rows: np.ndarray) -> None:
    layout = TableLayout(card)
    columns = pd.MultiIndex.from_tuples(layout.columns, names=layout.names)
    frame = pd.DataFrame(rows.astype(np.float64), columns=columns, index=range(len(rows)))
    frame.to_hdf(path, key="df_with_missing", format="table", mode="w")


def _nodes(file: Any) -> Iterator[Any]:
    """Yield every node, including those that PyTables hides."""
    pending = [file.root]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, tables.Group):
            pending += [file.get_node(node, name) for name in sorted({*node._v_children, *node._v_hidden})]


def _described(path: Path) -> dict[str, Any]:
    """The class, shape, types and chunks of each node, and the type and value of each attribute."""
    with tables.open_file(str(path)) as file:
        return {
            node._v_pathname: {
                "class": type(node).__name__,
                "shape": tuple(getattr(node, "shape", ())),
                "dtype": str(getattr(node, "dtype", "")),
                "chunks": getattr(node, "chunkshape", None),
                "filters": str(getattr(node, "filters", "")) if isinstance(node, tables.Leaf) else "",
                "attributes": {
                    name: (type(node._v_attrs[name]).__name__, repr(node._v_attrs[name]))
                    for name in node._v_attrs._v_attrnames
                },
            }
            for node in _nodes(file)
        }


@pytest.mark.parametrize("count", [2, 3000])
@pytest.mark.parametrize("card", [SINGLE, MULTI], ids=["3 levels", "4 levels"])
def test_every_node_and_attribute_equals_that_of_pandas(tmp_path: Path, card: ModelCard, count: int) -> None:
    rows = _rows(count, len(TableLayout(card).columns))
    _write(tmp_path / "ours.h5", card, rows)
    _write_with_pandas(tmp_path / "theirs.h5", card, rows)
    ours, theirs = _described(tmp_path / "ours.h5"), _described(tmp_path / "theirs.h5")
    assert {"/df_with_missing/table", "/df_with_missing/_i_table/index/sorted"} <= set(ours)
    if tuple(int(part) for part in pd.__version__.split(".")[:2]) >= (3, 1):
        for described in (ours, theirs):
            for name in SINCE_PANDAS_3_1:
                described["/df_with_missing"]["attributes"].pop(name, None)
    assert ours == theirs
    with tables.open_file(str(tmp_path / "ours.h5")) as mine, tables.open_file(str(tmp_path / "theirs.h5")) as other:
        for name in ("index", "values_block_0"):
            np.testing.assert_array_equal(
                mine.root.df_with_missing.table.col(name), other.root.df_with_missing.table.col(name)
            )
        index = mine.root.df_with_missing.table.cols.index.index
        other_index = other.root.df_with_missing.table.cols.index.index
        assert (index.kind, index.optlevel, index.nelements) == (other_index.kind, other_index.optlevel, count)


def test_the_documented_layout(tmp_path: Path) -> None:
    """The result of MATLAB's `h5read(file, '/df_with_missing/table')`, and the attributes of pandas 2."""
    rows = _rows(3, 6)
    _write(tmp_path / "poses.h5", SINGLE, rows)
    columns = [
        ("DLC_Resnet50_reachshuffle1", part, coord)
        for part in ("nose", "tail base")
        for coord in ("x", "y", "likelihood")
    ]
    with tables.open_file(str(tmp_path / "poses.h5")) as file:
        assert [node._v_pathname for node in file.walk_nodes()] == ["/", "/df_with_missing", "/df_with_missing/table"]
        group, table = file.root.df_with_missing, file.root.df_with_missing.table
        assert table.dtype == np.dtype([("index", "<i8"), ("values_block_0", "<f8", (6,))])
        assert table.col("index").tolist() == [0, 1, 2]
        np.testing.assert_array_equal(table.col("values_block_0"), rows.astype(np.float64))
        assert table.colindexed == {"index": True, "values_block_0": False}
        attributes = {name: group._v_attrs[name] for name in group._v_attrs._f_list("user")}
        assert attributes == {
            "data_columns": [],
            "encoding": "UTF-8",
            "errors": "strict",
            "index_cols": [(0, "index")],
            "info": {
                1: {"names": ["scorer", "bodyparts", "coords"], "type": "MultiIndex"},
                "index": {},
                "values_block_0": {},
            },
            "levels": 1,
            "nan_rep": "nan",
            "non_index_axes": [(1, columns)],
            "pandas_type": "frame_table",
            "pandas_version": "0.15.2",
            "table_type": "appendable_frame",
            "values_cols": ["values_block_0"],
        }
        own = {name: table._v_attrs[name] for name in table._v_attrs._f_list("user")}
        assert own == {
            "index_kind": "integer",
            "values_block_0_dtype": "float64",
            "values_block_0_kind": columns,
            "values_block_0_meta": None,
        }


def test_rows_can_be_selected_on_the_disk(tmp_path: Path) -> None:
    """pandas supports this only in files of format "table"."""
    rows = _rows(300, 6)
    _write(tmp_path / "poses.h5", SINGLE, rows)
    part = pd.read_hdf(tmp_path / "poses.h5", where="index >= 100 & index < 103")
    assert part.index.tolist() == [100, 101, 102]
    np.testing.assert_array_equal(part.to_numpy(), rows[100:103].astype(np.float64))


@pytest.mark.parametrize(("individuals", "kind"), [(20, Hdf5Table), (26, Hdf5Table), (60, WideHdf5Table)])
def test_a_header_of_any_length_can_be_read(tmp_path: Path, individuals: int, kind: type) -> None:
    """Plain attributes, shortened ones, and a header too long for an attribute."""
    card = _wide(individuals)
    layout = TableLayout(card)
    rows = _rows(20, len(layout.columns))
    assert type(_write(tmp_path / "poses.h5", card, rows)) is kind
    frame = pd.read_hdf(tmp_path / "poses.h5")
    assert list(frame.columns) == layout.columns
    assert tuple(frame.columns.names) == layout.names
    np.testing.assert_array_equal(frame.to_numpy(), rows.astype(np.float64))


@pytest.mark.parametrize("name", ["naïve é", 'a,"b"', "'); DROP", "x" * 200])
def test_names_in_the_header_are_unchanged(tmp_path: Path, name: str) -> None:
    card = SINGLE.with_(skeleton=Skeleton(("nose", name)), scorer=name)
    _write(tmp_path / "poses.h5", card, _rows(2, 6))
    assert list(pd.read_hdf(tmp_path / "poses.h5").columns) == TableLayout(card).columns


def test_a_very_wide_table_without_pandas_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(DependencyError, match=r"HDF5 tables of \d+ columns need pandas; run: pip install pandas"):
        WideHdf5Table(tmp_path / "poses.h5", TableLayout(_wide(60)))
