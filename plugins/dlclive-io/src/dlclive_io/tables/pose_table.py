"""The sink that writes DeepLabCut tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tables
from numpy.typing import NDArray

from dlclive_core import DataError, Estimate, RunInfo, Sink
from dlclive_io.output_file import OutputFile, reason
from dlclive_io.tables.csv_table import CsvTable
from dlclive_io.tables.hdf5_table import Hdf5Table
from dlclive_io.tables.pose_journal import PoseJournal, journal_of, remove_journal
from dlclive_io.tables.row_blocks import RowBlocks
from dlclive_io.tables.table_layout import TableLayout

_BLOCK = 64  # rows written to HDF5 at a time


class PoseTable(Sink):
    """Writes poses in DeepLabCut's format, for DeepLabCut, movement, napari-deeplabcut and pandas.

    Row n is frame n, up to the last frame: all values of a missing frame are NaN. A keypoint that was not detected is
    NaN, NaN, 0. Multi-animal projects have a level of individuals, padded if fewer were detected; `left_out` counts
    individuals beyond those of the project.

    Memory does not grow with the run. Until `finish`, the file is called `<path>.part`; it is readable after `close`. A
    crash loses at most the last 0.2 s: CSV is only appended to; HDF5, which a crash may break, is accompanied by a journal
    `<path>.journal` until the file is complete. `dlclive_io.recover` completes both.

    Args:
        path: ends in .h5 (key `df_with_missing`, pandas' fixed format, float64) or .csv.
        overwrite: replace an existing file.
    """

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self._output = OutputFile(path, (Hdf5Table.suffix, CsvTable.suffix), overwrite=overwrite)
        self._table: Hdf5Table | CsvTable | None = None
        self._journal: PoseJournal | None = None
        self._intact = True
        self._layout: TableLayout | None = None

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The table; its `.part` if the run did not finish."""
        return self._output.outputs

    @property
    def left_out(self) -> int:
        """Individuals without a column in the table, summed over all frames."""
        return self._layout.left_out if self._layout else 0

    def open(self, run: RunInfo) -> None:
        """Write the header. Raises OutputExistsError, DataError."""
        part = self._output.begin(keeps_unfinished=run.is_live)
        self._layout = layout = TableLayout(run.card)
        self._intact = True  # no error so far
        is_hdf5 = self._output.path.suffix.lower() == Hdf5Table.suffix
        self._blocks = RowBlocks(len(layout.columns), self._append, _BLOCK if is_hdf5 else 1)
        with self._errors():
            if is_hdf5:
                self._journal = PoseJournal(journal_of(self._output.path), run)
            self._table = Hdf5Table(part, layout) if is_hdf5 else CsvTable(part, layout)

    def write(self, estimate: Estimate) -> None:
        """Append a row, after rows of NaN for missing frames. Raises DataError."""
        _, layout = self._opened()
        number = estimate.frame.index
        if number < self._blocks.next:
            raise DataError(f"frame {number} comes after frame {self._blocks.next - 1}: frame numbers must increase")
        row = layout.row(estimate.pose)
        with self._errors():
            self._blocks.fill(number)
            if self._journal is not None:
                self._journal.add(number, estimate.frame.captured_at, row)
            self._blocks.add(number, row)

    def finish(self) -> None:
        """Write the remaining rows and give the file its final name."""
        table, _ = self._opened()
        with self._errors():
            self._blocks.flush()
            self._table = None
            table.close()
        self._output.commit()

    def close(self) -> None:
        """Close the file; an unfinished one keeps the name `.part`."""
        try:
            with self._errors():
                self._close_table()
        finally:
            try:
                with self._errors():
                    self._close_journal()
            finally:
                self._output.release()

    def _close_table(self) -> None:
        if self._table is not None:
            try:
                self._blocks.flush()
            finally:
                table, self._table = self._table, None
                table.close()

    def _close_journal(self) -> None:
        """Close the journal, and remove it if the table, already closed, has all its rows."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()
            if self._intact:
                remove_journal(journal.path)

    def _append(self, first: int, rows: NDArray[np.float32]) -> None:
        """Write rows to the table. Rows are always committed to the journal before HDF5 gets them."""
        table, _ = self._opened()
        if self._journal is not None:
            self._journal.commit()
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
            except Exception as error:
                self._intact = False
                if isinstance(error, tables.HDF5ExtError):
                    raise DataError(f"cannot write {self._output.path}: {_hdf5_reason(error)}") from error
                if isinstance(error, sqlite3.Error):
                    raise DataError(
                        f"cannot write {journal_of(self._output.path)}: {error}; is the disk full?"
                    ) from error
                raise


def _hdf5_reason(error: Exception) -> str:
    """The system's error message in HDF5's dump of its call stack, else its last line."""
    lines = [line.strip() for line in str(error).splitlines()]
    system_errors = [line for line in lines if "error message = '" in line]
    if system_errors:
        return system_errors[0].split("error message = '")[1].split("'")[0]
    return lines[-1] if lines and lines[-1] else reason(error)
