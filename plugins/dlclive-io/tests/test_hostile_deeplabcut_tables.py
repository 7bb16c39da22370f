"""Damaged and hostile tables: one line, and nothing is run or taken from another file."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import tables
from dlclive_io.deeplabcut.deeplabcut_format import DeepLabCutFormat
from dlclive_io.deeplabcut.plain_pickle import plain_value

from dlclive_core import (
    DataError,
    PoseRows,
)

from .deeplabcut_tables import attempt, flat, frame_of


class Trap:
    """What unpickling it runs leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("layout", ["table", "fixed"])
def test_a_hostile_file_runs_nothing(tmp_path: Path, layout: str) -> None:
    trap = pickle.dumps(Trap(tmp_path / "trapped"), 0)
    for node, name in (
        ("/df_with_missing", "info"),
        ("/df_with_missing", "non_index_axes"),
        ("/df_with_missing", "values_cols"),
        ("/df_with_missing", "pandas_type"),
        ("/df_with_missing", "axis0_variety"),
        ("/df_with_missing/table", "values_block_0_kind"),
        ("/df_with_missing/axis0_level0", "name"),
    ):
        path = tmp_path / f"{layout}.h5"
        frame_of("single").to_hdf(path, key="df_with_missing", format=layout, mode="w")
        with tables.open_file(str(path), "r+") as file:
            if node not in file:
                continue
            setattr(file.get_node(node)._v_attrs, name, np.bytes_(trap))
        DeepLabCutFormat().recognizes(path)
        assert "\n" not in (attempt(path)[1] or "")
    with tables.open_file(str(tmp_path / "objects.h5"), "w") as file:
        group = file.create_group("/", "df_with_missing")
        group._v_attrs.pandas_type = "frame"
        group._v_attrs.axis0_variety = "multi"
        group._v_attrs.axis0_nlevels = 1
        file.create_vlarray(group, "axis0_level0", tables.ObjectAtom()).append(Trap(tmp_path / "trapped"))
    assert not DeepLabCutFormat().recognizes(tmp_path / "objects.h5")
    with pytest.raises(DataError):
        DeepLabCutFormat().read(tmp_path / "objects.h5")
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_plain_values_are_unpickled_and_nothing_else(tmp_path: Path, protocol: int) -> None:
    value = [(1, [("DLC", "näse", "x")], {"names": ["a", None], "n": 1.5, "b": True})]
    assert plain_value(pickle.dumps(value, protocol)) == value
    assert plain_value("text") == "text"
    assert plain_value(b"scorer") == "scorer"
    for hostile in (Trap(tmp_path / "trapped"), Path("x"), np.float64(1), {1, 2}, os.system):
        with pytest.raises(DataError, match="could run a program"):
            plain_value(pickle.dumps(hostile, protocol))
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("data", [b"Np2000000000\n.", b"Nr\xff\xff\xff\x7f."])
def test_a_place_far_away_in_the_memory_of_a_pickle_takes_none(data: bytes) -> None:
    assert plain_value(data) is None


SAME_TWICE = b"".join(b"\x94h" + bytes([place]) + b"\x86" for place in range(60))
DAMAGED = {
    "nothing to append to": b"a.",
    "a class": b")\x81.",
    "pop": b"I1\n0.",
    "nothing": b".",
    "two values": b"NN.",
    "no mark": b"Nt.",
    "a mark in a tuple": b"(N\x86.",
    "a mark remembered": b"(q\x00h\x00.",
    "half an item": b"}(Nu.",
    "a tree of 2**60 leaves": b"I1\n\x85" + SAME_TWICE + b".",
    "the same as a key": b"}I1\n\x85" + SAME_TWICE + b"Ns.",
    "a list in itself": b"]\x94h\x00a.",
    "a deep key": b"})" + b"\x85" * 1_000_000 + b"Ns.",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_pickle_that_is_damaged_or_stands_for_more_than_it_holds_is_refused(name: str) -> None:
    with pytest.raises(DataError):
        plain_value(DAMAGED[name])


def test_columns_of_values_that_are_no_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mouse.h5"
    frame_of("single").to_hdf(path, key="df_with_missing", format="table", mode="w")
    with tables.open_file(str(path), "r+") as file:
        file.root.df_with_missing._v_attrs.values_cols = [["values_block_0"]]
    with pytest.raises(DataError, match="not a list of names"):
        DeepLabCutFormat().read(path)


def test_names_in_another_file_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "mouse.h5"
    frame_of("single").to_hdf(tmp_path / "other.h5", key="df_with_missing", mode="w")
    frame_of("single").to_hdf(path, key="df_with_missing", mode="w")
    assert DeepLabCutFormat().recognizes(path)
    with h5py.File(path, "r+") as file:
        del file["df_with_missing/axis0_level0"]
        file["df_with_missing/axis0_level0"] = h5py.ExternalLink("other.h5", "/df_with_missing/axis0_level0")
    assert not DeepLabCutFormat().recognizes(path)
    with pytest.raises(DataError, match="leads to another file, which is not opened"):
        DeepLabCutFormat().read(path)


@pytest.mark.parametrize("name", ["table.h5", "fixed.h5", "mouse.csv"])
def test_any_beginning_of_a_file_is_one_line_or_fewer_rows(tmp_path: Path, name: str) -> None:
    path, table = tmp_path / name, frame_of("unique", 40)
    table.to_csv(path) if name.endswith("csv") else table.to_hdf(
        path, key="df_with_missing", format=path.stem, mode="w"
    )
    data = path.read_bytes()
    for share in range(0, 40):
        path.write_bytes(data[: len(data) * share // 40])
        DeepLabCutFormat().recognizes(path)
        rows, error = attempt(path)
        assert (error and "\n" not in error) or (name.endswith("csv") and rows < 40)


def test_a_file_that_claims_more_than_it_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mouse.h5"
    frame_of("single").to_hdf(path, key="df_with_missing", mode="w")
    with tables.open_file(str(path), "r+") as file:
        group = file.root.df_with_missing
        attributes = {key: group.block0_values._v_attrs[key] for key in group.block0_values._v_attrs._f_list("user")}
        for name, atom, shape in (("axis1", tables.Int64Atom(), ()), ("block0_values", tables.Float64Atom(), (6,))):
            group[name].remove()
            node = file.create_carray(group, name, atom, (1 << 40, *shape), chunkshape=(64, *shape))
            for key, value in attributes.items():
                node._v_attrs[key] = value
    with pytest.raises(DataError, match="more than a file of this size can hold"):
        DeepLabCutFormat().read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "no scorer, bodyparts and coords"),
        ("scorer,A,A\nbodyparts,n,n\ncoords,x,y\n0,1\n", "line 4: 2 columns|line 4: 2 values for 3 columns"),
        ("scorer,A,A\nbodyparts,n,n\ncoords,x,y\n0,1,two\n", "line 4: could not convert"),
        ("scorer,A,A\nbodyparts,n,n\ncoords,x,y\n1,1,2\n0,1,2\n", "frame 0 comes after frame 1"),
        ("scorer,A,A\nbodyparts,n,n\ncoords,x,y\n0,1,2\n0,1,2\n", "frame 0 comes after frame 0"),
        ("scorer,A,B\nbodyparts,n,n\ncoords,x,y\n0,1,2\n", "several scorers"),
        ("scorer,A,A\nbodyparts,n,m\ncoords,x,y\n0,1,2\n", "'n' has no x and y"),
        ("scorer,A,A,A\nbodyparts,n,n,n\ncoords,x,y,x\n0,1,2,3\n", "two columns with the same names"),
        ("scorer,A,A\nbodyparts,,\ncoords,x,y\n0,1,2\n", "is empty"),
        ("scorer,A,A\nbodyparts,n,n\ncoords,x,y\n99999999999999999999,1,2\n", "not a frame number"),
        ("bodyparts,n,n\ncoords,x,y,likelihood\n", "different lengths"),
    ],
)
def test_wrong_text_is_one_line_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mouse.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as raised:
        flat(DeepLabCutFormat().read(path))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("name", ["a\nb", "x" * 5000, "\x1b[2J", ""])
def test_names_of_a_stranger_make_no_message_of_several_lines(tmp_path: Path, level: int, name: str) -> None:
    path, table = tmp_path / "mouse.h5", frame_of("single")
    columns = [list(column) for column in table.columns]
    columns[0][level] = name
    table.columns = pd.MultiIndex.from_tuples(list(map(tuple, columns)), names=table.columns.names)
    table.to_hdf(path, key="df_with_missing", mode="w")
    _, error = attempt(path)
    assert error
    assert len(error) < 400
    assert error.isprintable()


def test_of_several_tables_in_one_file_that_of_deeplabcut_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mouse.h5"
    frame_of("live").to_hdf(path, key="other", mode="w")
    frame_of("single").to_hdf(path, key="tracks", mode="a")
    assert DeepLabCutFormat().read(path).info.card.scorer == "DLC_x"
    with tables.open_file(str(path), "r+") as file:
        file.rename_node("/tracks", "more")
    with pytest.raises(DataError, match=r"several tables \('more', 'other'\)"):
        DeepLabCutFormat().read(path)


def test_a_long_table_is_read_in_blocks(tmp_path: Path) -> None:
    path, table = tmp_path / "mouse.csv", frame_of("single", 1000)
    table.to_csv(path)
    recording = DeepLabCutFormat().read(path)
    sizes = [len(block) for block in recording.blocks()]
    assert max(sizes) <= 256
    assert sum(sizes) == 999
    first = next(recording.blocks())
    assert isinstance(first, PoseRows)
    assert np.isnan(first.seconds).all()


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "it is empty"), (b"\x89H", "it is not HDF5, or its beginning is")]
)
def test_what_is_called_hdf5_and_is_not_is_not_asked_for_lines(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "mouse.h5"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        DeepLabCutFormat().read(path)
