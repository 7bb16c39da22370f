"""DeepLabCut's table as CSV, row by row."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from dlclive_core import open_unlinked
from dlclive_io.flush_schedule import FlushSchedule
from dlclive_io.tables.row_blocks import Values
from dlclive_io.tables.table_layout import TableLayout


class CsvTable:
    """Writes one header row per column level, then the frame number and the values of each frame.

    A number is the shortest text that reads back as the same float32, or float64 where rows are; a missing one is empty, as
    pandas writes it. A row without any number holds "NaN": pandas takes an empty first row for the names of the index and
    drops it.

    Names are written as they are, in quotes where they hold a comma, a quote or a line end. Half of a surrogate pair, which
    UTF-8 cannot hold, becomes its escape.

    Rows are flushed every 0.2 s and synced to disk every second, always at the end of the file: in the table of a killed
    process, only the last line may be incomplete.
    """

    suffix = ".csv"

    def __init__(self, path: Path, layout: TableLayout) -> None:
        self._file = open_unlinked(path, "w", newline="", encoding="utf-8", errors="backslashreplace")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._flushes = FlushSchedule()
        self._missing_row = ",NaN" * len(layout.columns) + "\n"
        for level, name in enumerate(layout.names):
            self._write_header([name, *(column[level] for column in layout.columns)])
        self._file.flush()

    def append(self, first: int, rows: Values) -> None:
        """Append (N, columns) rows; `first` is the frame number of the first."""
        for number, row in enumerate(rows, first):
            if np.isnan(row).all():
                self._file.write(f"{number}{self._missing_row}")
                continue
            values = row.tolist() if row.dtype == np.float64 else row  # Python's own floats are written faster
            self._writer.writerow([number, *("" if value != value else str(value) for value in values)])
        self._flushes.after_row(self._file)

    def finish(self) -> None:
        """A table that still grows lacks nothing."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write_header(self, cells: list[str]) -> None:
        # Python's csv module, before 3.13, leaves a lone carriage return unquoted, and pandas ends the line there.
        if any("\r" in cell for cell in cells):
            csv.writer(self._file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(cells)
        else:
            self._writer.writerow(cells)
