"""Nodes of an HDF5 file that may be a stranger's. Formats of other packages may use it: `from dlclive_io import hdf5_nodes`.

HDF5 can lead out of the file (external links, external and virtual storage), declare arrays of any size with nothing behind
them, and hold types that are no numbers. Nothing outside the file is opened here, and nothing is allocated that the file cannot
hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError
from dlclive_io.foreign_file import foreign_errors

SIGNATURE = b"\x89HDF\r\n\x1a\n"

MOST_MEMBERS = 4096
"""Of a group; more are not looked at."""

_MOST_JUMPS = 16  # soft links that lead to soft links
_MOST_RATIO = 1100  # deflate packs 1032 to 1 at most
_ALWAYS = 64 << 20  # bytes that are read even if a small file declares them
_MOST_CHUNK = 256 << 20  # bytes; HDF5 loads chunks whole
_MOST_TEXT = 16 << 20  # bytes
_CACHE = 1 << 16  # bytes of chunks that HDF5 keeps of each array: by default 8 MB, and there may be thousands of arrays


@contextmanager
def opened(path: Path, what: str) -> Iterator[Any]:
    """Open a file for reading; yields its root group. What the library raises becomes DataError with one line."""
    if fault := _no_hdf5(path):
        raise DataError(f"{path} cannot be read as {what}: it {fault}")
    with foreign_errors(path, what):
        file = h5py.File(path, "r", rdcc_nbytes=_CACHE)
    with file, foreign_errors(path, what):
        yield file


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 does."""
    try:
        with path.open("rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False


def _no_hdf5(path: Path) -> str:
    """Why a file cannot be HDF5; empty if it can. HDF5 itself speaks of a signature that was not found."""
    try:
        if path.is_dir():
            return "is a folder"
        if not path.stat().st_size:
            return "is empty"
    except OSError:
        return ""  # the library says why it cannot be opened
    # A file of HDF5 may begin with a block of somebody else's, which h5py looks behind.
    return "" if is_hdf5(path) or h5py.is_hdf5(path) else "is not HDF5, or its beginning is damaged"


def child(group: Any, name: str, jumps: int = 0) -> Any:
    """The group or dataset of this name; None if there is none. Soft links are followed inside the file.

    Raises:
        DataError: the name leads to another file, or in circles.
    """
    link = group.get(name, getlink=True)
    if link is None:
        return None
    if isinstance(link, h5py.ExternalLink):
        raise DataError(f"{_where(group, name)} leads to another file, which is not opened")
    if isinstance(link, h5py.SoftLink):
        if jumps == _MOST_JUMPS:
            raise DataError(f"{_where(group, name)} leads in circles")
        start = group.file if link.path.startswith("/") else group
        return find(start, link.path, jumps + 1)
    node = group[name]
    return node if isinstance(node, h5py.Group | h5py.Dataset) else None


def find(group: Any, path: str, jumps: int = 0) -> Any:
    """The node at a path below a group, as `child`."""
    for part in path.split("/"):
        if part in ("", "."):
            continue
        group = child(group, part, jumps) if isinstance(group, h5py.Group) else None
        if group is None:
            return None
    return group


def subgroup(group: Any, name: str) -> Any:
    """The group of this name; None if there is none."""
    node = child(group, name)
    return node if isinstance(node, h5py.Group) else None


def members(group: Any) -> Iterator[tuple[str, Any]]:
    """Name and group of each group in a group, in the order in which HDF5 lists them, which is mostly by name."""
    for name in list(islice(group, MOST_MEMBERS)):
        if isinstance(group.get(name, getlink=True), h5py.HardLink):
            node = group[name]
            if isinstance(node, h5py.Group):
                yield name, node


def linked(group: Any) -> list[str]:
    """The names in a group that lead to another place in the file."""
    return [name for name in islice(group, MOST_MEMBERS) if isinstance(group.get(name, getlink=True), h5py.SoftLink)]


def array(group: Any, name: str, dimensions: tuple[int, ...]) -> Any:
    """A dataset of numbers, to be read in parts; None if there is none.

    Args:
        dimensions: how many it may have.

    Raises:
        DataError: it is not of numbers, is stored outside the file, or declares more than the file can hold.
    """
    node = child(group, name)
    if node is None:
        return None
    where = _where(group, name)
    if not isinstance(node, h5py.Dataset) or node.dtype.kind not in "fiu" or node.shape is None:
        raise DataError(f"{where} is not an array of numbers")
    if node.ndim not in dimensions:
        raise DataError(f"{where} has the shape {node.shape}, not {' or '.join(map(str, dimensions))} dimensions")
    _check_storage(node, where)
    return node


def records(group: Any, name: str) -> Any:
    """A dataset of numbers, of names of a fixed length, or of rows with both, to be read in parts.

    Raises:
        DataError: there is none; it holds objects, is stored outside the file, or declares more than the file can hold.
    """
    node = child(group, name)
    where = _where(group, name)
    if not isinstance(node, h5py.Dataset) or node.shape in (None, ()) or node.dtype.hasobject:
        raise DataError(f"{where} is {'not there' if node is None else 'not an array of numbers or names'}")
    _check_storage(node, where)
    return node


def text(group: Any, name: str) -> str:
    """The text of a dataset; "" if there is none."""
    found = texts(group, name)
    return found[0] if found else ""


def texts(group: Any, name: str, most: int = MOST_MEMBERS) -> tuple[str, ...]:
    """All texts of a dataset of one dimension or none; empty if there is none. Raises DataError if it is something else."""
    node = child(group, name)
    if node is None:
        return ()
    where = _where(group, name)
    if not isinstance(node, h5py.Dataset) or node.shape is None or node.ndim > 2:
        raise DataError(f"{where} is not text")
    if node.size and h5py.check_string_dtype(node.dtype) is None:
        raise DataError(f"{where} is not text")
    if node.size > most:
        raise DataError(f"{where} has {node.size} texts; {most} is the most")
    if node.size * node.dtype.itemsize > _MOST_TEXT:
        raise DataError(f"{where} declares more text than a name can have")
    _check_storage(node, where)
    values = np.atleast_1d(np.asarray(node[()], dtype=object)).ravel() if node.size else ()
    return tuple(as_text(value) for value in values)


def attribute(node: Any, name: str) -> str:
    """A text attribute; "" if there is none."""
    value = node.attrs.get(name, "")
    return as_text(value) if isinstance(value, str | bytes) else ""


def number_attribute(node: Any, name: str, default: float) -> float:
    """A finite number; `default` if there is none."""
    value = node.attrs.get(name)
    if value is None or np.ndim(value) or np.asarray(value).dtype.kind not in "fiub" or not math.isfinite(value):
        return default
    return float(value)


def as_text(value: Any) -> str:
    """Text of HDF5, which is UTF-8 or unknown."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def floats(node: Any, start: int, stop: int, axis: int = 0) -> NDArray[np.float64]:
    """Part of an array along an axis, as float64."""
    return np.asarray(node[(slice(None),) * axis + (slice(start, stop),)], np.float64)


def rows_at_once(arrays: list[Any], axes: list[int], least: int, most_bytes: int) -> int:
    """How many rows to read at once, so that no chunk is decompressed again and again.

    Args:
        arrays, axes: datasets, and the axis of each along which they are read.
        least: rows.
        most_bytes: of all arrays together, as float64.
    """
    row = sum(8 * node.size // max(1, node.shape[axis]) for node, axis in zip(arrays, axes, strict=True))
    chunk = max((node.chunks[axis] for node, axis in zip(arrays, axes, strict=True) if node.chunks), default=least)
    return max(1, min(max(least, chunk), most_bytes // max(1, row)))


def _check_storage(node: Any, where: str) -> None:
    if node.external or node.is_virtual:
        raise DataError(f"{where} is stored in another file, which is not opened")
    size = node.dtype.itemsize * node.size
    if size > max(_ALWAYS, _MOST_RATIO * node.file.id.get_filesize()):
        raise DataError(f"{where} declares {size:,} bytes, more than a file of this size can hold")
    if node.chunks and math.prod(node.chunks) * node.dtype.itemsize > _MOST_CHUNK:
        raise DataError(f"{where} is stored in pieces of more than {_MOST_CHUNK >> 20} MB")


def _where(group: Any, name: str) -> str:
    file = Path(as_text(group.file.filename)).name
    return f"{file}: {as_text(group.name).rstrip('/')}/{name}"
