"""The sink that writes DeepLabCut's tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tables
from numpy.typing import NDArray

from dlclive_core import DataError, Estimate, RunInfo, Sink
from dlclive_io.csv_table import CsvTable
from dlclive_io.hdf5_table import Hdf5Table
from dlclive_io.output_file import OutputFile, reason
from dlclive_io.table_layout import TableLayout

FLUSH_SECONDS = 0.25
"""What a killed process may lose."""

_BLOCK = 64  # rows that are given to the file together


class PoseTable(Sink):
    """Writes poses as DeepLabCut does, so that DeepLabCut, movement, napari-deeplabcut and pandas open them.

    The table has a row for each number up to that of the last frame, so a row's number is the frame's: all values of a
    frame that did not come are NaN. A keypoint that was looked for and not found is NaN, NaN, 0. The header has a level
    of individuals in multi-animal projects, padded where fewer were found; `left_out` counts those beyond the project's.

    Memory does not depend on the length of the run. Until `finish` the file is called `<path>.part`; it can be read at
    any time after `close`, and after a crash, up to the last quarter of a second.

    Args:
        path: ends in .h5 (key `df_with_missing`, pandas' fixed format, float64) or .csv.
        overwrite: replace a file that is there.
    """

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self._output = OutputFile(path, (Hdf5Table.suffix, CsvTable.suffix), overwrite=overwrite)
        self._table: Hdf5Table | CsvTable | None = None
        self._layout: TableLayout | None = None

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The table; its `.part` if it was not finished."""
        return self._output.outputs

    @property
    def left_out(self) -> int:
        """Individuals for which the table has no column, summed over the frames."""
        return self._layout.left_out if self._layout else 0

    def open(self, run: RunInfo) -> None:
        """Write the header. Raises OutputExistsError, DataError."""
        part = self._output.begin()
        self._layout = layout = TableLayout(run.card)
        self._rows = np.empty((_BLOCK, len(layout.columns)), dtype=np.float32)
        self._held = 0  # rows that wait in self._rows
        self._next = 0  # number of the first row that is not in the file
        self._flushed_at = time.monotonic()
        kind = Hdf5Table if self._output.path.suffix.lower() == Hdf5Table.suffix else CsvTable
        with self._errors():
            self._table = kind(part, layout)

    def write(self, estimate: Estimate) -> None:
        """Append a row, and rows of NaN for the frames before it that did not come. Raises DataError."""
        table, layout = self._opened()
        number = estimate.frame.index
        if number < self._next + self._held:
            raise DataError(
                f"frame {number} comes after frame {self._next + self._held - 1}: frames must come in order"
            )
        with self._errors():
            while self._next + self._held < number:
                gap = min(_BLOCK - self._held, number - self._next - self._held)
                self._rows[self._held : self._held + gap] = np.nan
                self._hold(table, gap)
            self._rows[self._held] = layout.row(estimate.pose)
            self._hold(table, 1)
            if time.monotonic() - self._flushed_at > FLUSH_SECONDS:
                self._give(table)
                table.flush()
                self._flushed_at = time.monotonic()

    def finish(self) -> None:
        """Write what is left and give the file its name."""
        table, _ = self._opened()
        with self._errors():
            self._give(table)
            self._table = None
            table.close()
        self._output.commit()

    def close(self) -> None:
        """Close the file, which keeps the name `.part` if it was not finished."""
        table, self._table = self._table, None
        try:
            if table is not None:
                with self._errors():
                    try:
                        self._give(table)
                    finally:
                        table.close()
        finally:
            self._output.release()

    def _hold(self, table: Hdf5Table | CsvTable, count: int) -> None:
        self._held += count
        if self._held == _BLOCK:
            self._give(table)

    def _give(self, table: Hdf5Table | CsvTable) -> None:
        rows: NDArray[np.float32] = self._rows[: self._held]
        first, self._next, self._held = self._next, self._next + self._held, 0
        if len(rows):
            table.append(first, rows)

    def _opened(self) -> tuple[Hdf5Table | CsvTable, TableLayout]:
        if self._table is None or self._layout is None:
            raise DataError(f"{self._output.path} is not open: call open() first")
        return self._table, self._layout

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with self._output.errors():
            try:
                yield
            except tables.HDF5ExtError as error:
                raise DataError(f"cannot write {self._output.path}: {_hdf5_reason(error)}") from error


def _hdf5_reason(error: Exception) -> str:
    """HDF5 gives a page of its own call stack; the line that names the system's error is the one that helps."""
    lines = [line.strip() for line in str(error).splitlines()]
    named = [line for line in lines if "error message = '" in line]
    if named:
        return named[0].split("error message = '")[1].split("'")[0]
    return lines[-1] if lines and lines[-1] else reason(error)
