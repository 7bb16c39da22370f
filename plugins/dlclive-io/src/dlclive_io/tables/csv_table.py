"""DeepLabCut's table as CSV, row by row."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_io.flush_schedule import FlushSchedule
from dlclive_io.tables.table_layout import TableLayout


class CsvTable:
    """Writes a header row for each level of the columns, then the frame number and the values of each frame.

    A number is the shortest text that reads back as the same float32; a missing one is empty, as pandas writes it. In a
    row without any number it is "NaN": pandas takes an empty first row for names of the index, and loses it.

    Rows go to the system every 0.2 s and to the disk every second, at the end of the file: a killed process leaves a table
    whose last line may be torn.
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
        """Append (N, columns) rows for the frames from number `first`."""
        for number, row in enumerate(rows, first):
            missing = "NaN" if np.isnan(row).all() else ""
            self._writer.writerow([number, *(missing if value != value else str(value) for value in row)])
        self._flushes.after_row(self._file)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
