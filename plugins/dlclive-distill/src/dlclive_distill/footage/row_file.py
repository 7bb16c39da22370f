"""An array in a file that grows row by row, and is whole only when it has all of them."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from dlclive_core import DataError

_SPARE = 200 * 10**6  # bytes that stay free on the disk


class RowFile:
    """Writes rows of an `.npy` file under the name `NAME.part`, which becomes NAME when all rows are there.

    Written as a file and not through memory, so that a full disk is an error and not the end of the process.

    Args:
        path: the finished file.
        shape: of the whole array.
        dtype: of its values.

    Attributes:
        rows: how many whole rows an earlier process has left, all of the same shape and type; 0 if there are none.
    """

    def __init__(self, path: Path, shape: Sequence[int], dtype: DTypeLike) -> None:
        self.path, self.shape, self.dtype = path, tuple(shape), np.dtype(dtype)
        self._part = path.with_name(f"{path.name}.part")
        self._header = _header(self.shape, self.dtype)
        self._row = math.prod(self.shape[1:]) * self.dtype.itemsize
        self._file: Any = None
        self.rows = self._left()

    def begin(self, rows: int) -> None:
        """Keep the first `rows` rows, and continue after them. Raises DataError."""
        try:
            if self.path.exists():
                self.path.replace(self._part)
            self._file = self._part.open("r+b" if rows else "wb")
            if not rows:
                self._file.write(self._header)
            end = len(self._header) + rows * self._row
            self._file.truncate(end)
            self._file.seek(end)
        except OSError as error:
            raise self._error(error) from None
        self.rows = rows

    def append(self, rows: NDArray[Any]) -> None:
        """Write further rows, (n, *shape[1:]). Raises DataError."""
        assert rows.dtype == self.dtype
        assert rows.shape[1:] == self.shape[1:]
        try:
            self._file.write(np.ascontiguousarray(rows).data)
        except OSError as error:
            raise self._error(error) from None
        self.rows += len(rows)

    def finish(self) -> None:
        """Give the file its name. Raises DataError."""
        assert self.rows == self.shape[0]
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
            self._part.replace(self.path)
        except OSError as error:
            raise self._error(error) from None

    def close(self) -> None:
        """Leave the rows that are there for the next process."""
        if self._file is not None:
            with suppress(OSError):  # of a full disk, which `append` has told
                self._file.close()
            self._file = None

    def _left(self) -> int:
        for path in (self.path, self._part):
            try:
                with path.open("rb") as file:
                    if file.read(len(self._header)) == self._header:
                        rows = path.stat().st_size - len(self._header)
                        return min(self.shape[0], rows // self._row if self._row else self.shape[0])
            except OSError:
                continue
        return 0

    def _error(self, error: OSError) -> DataError:
        return DataError(f"cannot write {self.path}: {error.strerror or error}")


def check_space(folder: Path, needed: int) -> None:
    """Raise DataError if a folder's disk has too little space for so many bytes."""
    free = shutil.disk_usage(folder).free
    if needed + _SPARE > free:
        raise DataError(
            f"the footage takes {needed / 1e9:.1f} GB more in {folder}, and {free / 1e9:.1f} GB are free there: give fewer "
            "--training-frames, or an OUT on another disk"
        )


def read_rows(path: Path) -> NDArray[Any]:
    """A finished file, as a read-only view. Nothing is unpickled. Raises DataError."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path} ({error}): delete its folder, and begin again") from None
    assert isinstance(array, np.ndarray)
    return array


def _header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    buffer = BytesIO()
    npy.write_array_header_1_0(
        buffer, {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(shape)}
    )
    return buffer.getvalue()
