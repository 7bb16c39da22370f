"""Tables of labels as HDF5, compared with what pandas writes and reads."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables
from dlclive_io.deeplabcut.hdf5_pandas import read_labels
from dlclive_io.deeplabcut.labelled_table import LabelledTable
from dlclive_io.labelling.fixed_hdf5 import write_fixed

from dlclive_core import DataError

NAMES = ("scorer", "bodyparts", "coords")
COLUMNS = [("Ada", part, coord) for part in ("snout", "ohr/links é") for coord in ("x", "y", "likelihood")]
ROWS = [("labeled-data", "mouse", f"img{number:03d}.png") for number in (7, 3, 12)]
VALUES = np.array([[1.5, np.nan, 0.1, 2, 3, 4], [np.nan] * 6, [1e-9, 1e9, -1, 0, 5, 6]])


def frame() -> pd.DataFrame:
    columns = pd.MultiIndex.from_tuples(COLUMNS, names=NAMES)
    return pd.DataFrame(VALUES, index=pd.MultiIndex.from_tuples(ROWS), columns=columns)


def test_pandas_reads_what_is_written(tmp_path: Path) -> None:
    write_fixed(tmp_path / "a.h5", LabelledTable(NAMES, COLUMNS, ROWS, VALUES))
    for key in ("df_with_missing", None):
        pd.testing.assert_frame_equal(pd.read_hdf(tmp_path / "a.h5", key), frame(), check_column_type=False)


def test_what_is_written_holds_no_pickle(tmp_path: Path) -> None:
    write_fixed(tmp_path / "a.h5", LabelledTable(NAMES, COLUMNS, ROWS, VALUES))
    with tables.open_file(str(tmp_path / "a.h5")) as file:
        for node in file.walk_nodes("/"):
            assert type(node) in (tables.Array, tables.Group, tables.group.RootGroup)
            for name in node._v_attrs._f_list("user"):
                assert isinstance(node._v_attrs[name], np.generic), f"{node._v_name}.{name}"


def test_what_pandas_writes_is_read(tmp_path: Path) -> None:
    frame().to_hdf(tmp_path / "a.h5", key="df_with_missing", mode="w")
    table = read_labels(tmp_path / "a.h5")
    assert (table.names, table.columns, table.rows) == (NAMES, COLUMNS, ROWS)
    np.testing.assert_array_equal(table.values, VALUES)


def test_several_blocks_are_read(tmp_path: Path) -> None:
    mixed = frame().fillna(0.0)
    mixed = mixed.astype({COLUMNS[1]: np.float32, COLUMNS[4]: np.int64})
    mixed.to_hdf(tmp_path / "a.h5", key="df_with_missing", mode="w")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.h5").values, mixed.to_numpy(np.float64))


@pytest.mark.parametrize("layout", ["fixed", "table"])
@pytest.mark.parametrize("separator", ["/", "\\"])
def test_rows_labelled_with_paths_are_read(tmp_path: Path, layout: str, separator: str) -> None:
    """As DeepLabCut 2 wrote them, on Linux and Windows."""
    old = frame().set_axis([separator.join(row) for row in ROWS])
    old.to_hdf(tmp_path / "a.h5", key="df_with_missing", mode="w", format=layout)  # type: ignore[call-overload]
    table = read_labels(tmp_path / "a.h5")
    assert (table.names, table.columns, table.rows) == (NAMES, COLUMNS, ROWS)
    np.testing.assert_array_equal(table.values, VALUES)


class Bomb:
    """Sets a flag when it is unpickled."""

    exploded = False

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("import sys; sys.modules['dlclive_bomb'] = sys",))


@pytest.mark.parametrize("place", ["attribute", "array"])
def test_a_strangers_file_is_refused_and_executes_nothing(tmp_path: Path, place: str) -> None:
    import sys

    frame().to_hdf(tmp_path / "a.h5", key="df_with_missing", mode="w")
    with tables.open_file(str(tmp_path / "a.h5"), "r+") as file:
        group = file.root.df_with_missing
        if place == "attribute":
            group._v_attrs["axis1_variety"] = np.bytes_(pickle.dumps(Bomb(), 0))
        else:
            group.axis1_level2.remove()
            file.create_vlarray(group, "axis1_level2", tables.ObjectAtom()).append(Bomb())
    with pytest.raises(DataError, match="is not a DeepLabCut table"):
        read_labels(tmp_path / "a.h5")
    assert "dlclive_bomb" not in sys.modules


@pytest.mark.parametrize("content", [b"", b"not hdf5", b"\x89HDF\r\n\x1a\n" + b"\0" * 200])
def test_other_files_are_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.h5 .*DeepLabCut table") as raised:
        read_labels(tmp_path / "a.h5")
    assert "\n" not in str(raised.value)


def test_truncated_files_are_one_line(tmp_path: Path) -> None:
    """As a killed program leaves them."""
    write_fixed(tmp_path / "a.h5", LabelledTable(NAMES, COLUMNS, ROWS, VALUES))
    whole = (tmp_path / "a.h5").read_bytes()
    for share in range(1, 20):
        (tmp_path / "b.h5").write_bytes(whole[: len(whole) * share // 20])
        with pytest.raises(DataError, match=r"b\.h5 .*DeepLabCut table"):
            read_labels(tmp_path / "b.h5")


def test_numbered_rows_are_no_labels(tmp_path: Path) -> None:
    frame().reset_index(drop=True).to_hdf(tmp_path / "a.h5", key="df_with_missing", mode="w")
    with pytest.raises(DataError, match="its rows are numbered, not named by images"):
        read_labels(tmp_path / "a.h5")


def test_bytes_changed_at_random_are_one_line_or_other_labels(tmp_path: Path) -> None:
    write_fixed(tmp_path / "a.h5", LabelledTable(NAMES, COLUMNS, ROWS, VALUES))
    whole = np.frombuffer((tmp_path / "a.h5").read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    messages = []
    for _ in range(300):
        changed = whole.copy()
        changed[rng.integers(len(whole), size=30)] = rng.integers(256, size=30)
        (tmp_path / "b.h5").write_bytes(changed.tobytes())
        try:
            read_labels(tmp_path / "b.h5")
        except DataError as error:
            messages.append(str(error))
    assert messages
    assert not any("\n" in message for message in messages)
