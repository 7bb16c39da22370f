"""DeepLabCut's table as CSV, row by row."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_io.flush_schedule import FlushSchedule
from dlclive_io.tables.table_layout import TableLayout


class CsvTable:
    """Writes one header row per column level, then the frame number and the values of each frame.

    A number is the shortest text that reads back as the same float32; a missing one is empty, as pandas writes it. A row
    without any number holds "NaN": pandas takes an empty first row for the names of the index and drops it.

    Rows are flushed every 0.2 s and synced to disk every second, always at the end of the file: in the table of a killed
    process, only the last line may be incomplete.
    """

    suffix = ".csv"

    def __init__(self, path: Path, layout: TableLayout) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._flushes = FlushSchedule()
        for level, name in enumerate(layout.names):
            self._writer.writerow([name, *(column[level] for column in layout.columns)])
        self._file.flush()

    def append(self, first: int, rows: NDArray[np.float32]) -> None:
        """Append (N, columns) rows; `first` is the frame number of the first."""
        for number, row in enumerate(rows, first):
            missing = "NaN" if np.isnan(row).all() else ""
            self._writer.writerow([number, *(missing if value != value else str(value) for value in row)])
        self._flushes.after_row(self._file)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
