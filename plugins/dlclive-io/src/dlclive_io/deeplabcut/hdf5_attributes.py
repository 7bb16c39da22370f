"""Attributes of pandas' HDF5 files, and errors of a table as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dlclive_core import DataError
from dlclive_io import hdf5_nodes
from dlclive_io.deeplabcut.plain_pickle import LONGEST
from dlclive_io.deeplabcut.shown_names import shown_names
from dlclive_io.foreign_file import foreign_errors

WHAT = "a DeepLabCut table"


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file for reading; yields its root. Whatever is wrong with it becomes a DataError of one line."""
    with errors(path), hdf5_nodes.opened(path, WHAT) as file:
        yield file


def attribute(node: Any, name: str, default: Any = ...) -> Any:
    """An attribute: bytes, text or a number.

    Raises:
        DataError: there is none, and no default; it is something else, or too long.
    """
    if name not in node.attrs:
        if default is ...:
            raise DataError(f"it has no attribute {shown_names([name])}")
        return default
    if node.attrs.get_id(name).get_storage_size() > LONGEST:
        raise DataError(f"its attribute {shown_names([name])} is too long")
    value = node.attrs[name]
    kind = node.attrs.get_id(name).get_type()
    if isinstance(value, bytes) and isinstance(kind, h5py.h5t.TypeStringID) and kind.get_cset() == h5py.h5t.CSET_UTF8:
        return value.decode("utf-8", "replace")  # PyTables marks text so; other bytes are pickles
    return value.item() if isinstance(value, np.generic) and not isinstance(value, bytes) else value


@contextmanager
def errors(path: Path) -> Iterator[None]:
    """Name the file in what is wrong with it, in one line."""
    try:
        with foreign_errors(path, WHAT):
            yield
    except DataError as error:
        text = str(error)
        if "truncated file" in text:
            raise DataError(f"{path} cannot be read as {WHAT}: it is truncated") from None
        raise DataError(text if text.startswith(str(path)) else f"{path} is not {WHAT}: {text}") from None
