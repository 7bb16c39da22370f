"""The sink that writes DeepLabCut tables."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tables
from numpy.typing import NDArray

from dlclive_core import DataError, Estimate, RunInfo, Sink
from dlclive_io.output_file import OutputFile, reason
from dlclive_io.tables.csv_table import CsvTable
from dlclive_io.tables.hdf5_file import Hdf5File
from dlclive_io.tables.hdf5_table import Hdf5Table
from dlclive_io.tables.open_table import open_table
from dlclive_io.tables.pose_journal import PoseJournal, journal_of, remove_journal
from dlclive_io.tables.row_blocks import LAST_NUMBER, RowBlocks, Values
from dlclive_io.tables.table_layout import TableLayout

_log = logging.getLogger(__name__)

_BLOCK = 64  # rows written to HDF5 at a time


class PoseTable(Sink):
    """Writes poses in DeepLabCut's format, for DeepLabCut, movement, napari-deeplabcut and pandas.

    Row n is frame n, up to the last frame: all values of a missing frame are NaN. A keypoint that was not detected is
    NaN, NaN, 0. Poses in space have a column z, and positions in the unit of the calibration. Multi-animal projects have a
    level of individuals, padded if fewer were detected; `left_out` counts individuals beyond those of the project.

    A jump over more numbers than a table has empty rows for (a million, or 256 MB) is not filled: the rows behind it keep
    their numbers, the log says so once, and `rows_left_out` counts the missing rows. If the source then goes on counting
    where it was, the number was wrong: that one frame has no row, and `frames_left_out` counts it.

    Memory does not grow with the run. Until `finish`, the file is called `<path>.part`; it is readable after `close`. A
    crash loses at most the last 0.2 s: CSV is only appended to; HDF5, which a crash may break, is accompanied by a journal
    `<path>.journal` until the file is complete. `dlclive_io.recover` completes both.

    Args:
        path: ends in .h5 (key `df_with_missing`, as DeepLabCut writes it, float64) or .csv.
        overwrite: replace an existing file.
    """

    dimensions = (2, 3)

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self._output = OutputFile(path, (Hdf5Table.suffix, CsvTable.suffix), overwrite=overwrite)
        self._table: Hdf5File | CsvTable | None = None
        self._journal: PoseJournal | None = None
        self._intact = self._is_empty = True
        self._layout: TableLayout | None = None
        self._blocks: RowBlocks | None = None
        self._doubtful: _Row | None = None
        self._told = False
        self.frames_left_out = 0

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The table; its `.part` if the run did not finish."""
        return self._output.outputs

    @property
    def left_out(self) -> int:
        """Individuals without a column in the table, summed over all frames."""
        return self._layout.left_out if self._layout else 0

    @property
    def rows_left_out(self) -> int:
        """Missing frames without a row, because the source jumped too far."""
        return self._blocks.left_out if self._blocks else 0

    @property
    def statistics(self) -> Mapping[str, float]:
        """What the table does not hold: `individuals_left_out`, `rows_left_out`, `frames_left_out`; empty if it holds all."""
        counts = {
            "individuals_left_out": self.left_out,
            "rows_left_out": self.rows_left_out,
            "frames_left_out": self.frames_left_out,
        }
        return {name: count for name, count in counts.items() if count}

    def open(self, run: RunInfo) -> None:
        """Write the header. Raises OutputExistsError, DataError."""
        part = self._output.begin(keeps_unfinished=run.is_live)
        self._layout = layout = TableLayout(run.card, run.dimensions)
        self._intact = self._is_empty = True  # no error and no frame so far
        self._doubtful, self._told, self.frames_left_out = None, False, 0
        suffix = self._output.path.suffix.lower()
        is_hdf5 = suffix == Hdf5Table.suffix
        self._blocks = RowBlocks(len(layout.columns), self._append, _BLOCK if is_hdf5 else 1)
        with self._errors():
            if is_hdf5:
                self._journal = PoseJournal(journal_of(self._output.path), run)
            self._table = open_table(part, suffix, layout)

    def write(self, estimate: Estimate) -> None:
        """Append a row, after rows of NaN for missing frames. Raises DataError."""
        _, blocks, layout = self._opened()
        number = estimate.frame.index
        if number < blocks.next:
            raise DataError(f"frame {number} comes after frame {blocks.next - 1}: frame numbers must increase")
        self._is_empty = False
        row = _Row(number, estimate.frame.captured_at, layout.row(estimate.pose))
        if self._doubtful is not None:
            self._settle(blocks, number)
        if blocks.can_fill(number):
            self._add(blocks, row)
        else:
            self._doubtful = row  # the next frame tells whether the source goes on from here

    def finish(self) -> None:
        """Write the remaining rows and give the file its final name."""
        table, blocks, _ = self._opened()
        self._settle(blocks, None)
        with self._errors():
            blocks.flush()
            self._table = None
            try:
                table.finish()
            finally:
                table.close()
        self._output.commit()

    def close(self) -> None:
        """Close the file; an unfinished one keeps the name `.part`, and one without a frame is removed."""
        try:
            with self._errors():
                self._close_table()
        finally:
            try:
                with self._errors():
                    self._close_journal()
            finally:
                self._output.release(is_empty=self._is_empty)

    def _settle(self, blocks: RowBlocks, following: int | None) -> None:
        """Write the frame that came after a jump, unless `following`, the number of the next one, shows that it was wrong."""
        row, self._doubtful = self._doubtful, None
        if row is None:
            return
        last = blocks.next - 1
        is_wrong = row.number >= LAST_NUMBER or (following is not None and following <= row.number)
        if is_wrong:
            self.frames_left_out += 1
            what = f"frame {row.number} after frame {last} has a wrong number and no row"
        else:
            self._add(blocks, row)
            what = f"frame {row.number} follows frame {last}: the rows in between are left out"
        if not self._told:
            self._told = True
            _log.warning("%s: %s; check the source's counter", self._output.path.name, what)

    def _add(self, blocks: RowBlocks, row: _Row) -> None:
        with self._errors():
            blocks.fill(row.number)
            if self._journal is not None:
                self._journal.add(row.number, row.captured_at, row.values)
            blocks.add(row.number, row.values)

    def _close_table(self) -> None:
        if self._table is not None and self._blocks is not None:
            try:
                if self._intact:
                    self._settle(self._blocks, None)
                self._blocks.flush()
            finally:
                table, self._table = self._table, None
                table.close()

    def _close_journal(self) -> None:
        """Close the journal, and remove it if the table, already closed, has all its rows."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()
            if self._intact or self._is_empty:
                remove_journal(journal.path)

    def _append(self, first: int, rows: Values) -> None:
        """Write rows to the table. Rows are always committed to the journal before HDF5 gets them."""
        table, _, _ = self._opened()
        if self._journal is not None:
            self._journal.commit()
        table.append(first, rows)

    def _opened(self) -> tuple[Hdf5File | CsvTable, RowBlocks, TableLayout]:
        if self._table is None or self._blocks is None or self._layout is None:
            raise DataError(f"{self._output.path} is not open: call open() first")
        return self._table, self._blocks, self._layout

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


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    captured_at: float
    values: NDArray[np.float32]


def _hdf5_reason(error: Exception) -> str:
    """The system's error message in HDF5's dump of its call stack, else its last line."""
    lines = [line.strip() for line in str(error).splitlines()]
    system_errors = [line for line in lines if "error message = '" in line]
    if system_errors:
        return system_errors[0].split("error message = '")[1].split("'")[0]
    return lines[-1] if lines and lines[-1] else reason(error)
