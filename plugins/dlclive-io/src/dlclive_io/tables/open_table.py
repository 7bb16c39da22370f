"""Which class writes a table."""

from __future__ import annotations

from pathlib import Path

from dlclive_io.tables.csv_table import CsvTable
from dlclive_io.tables.hdf5_file import Hdf5File
from dlclive_io.tables.hdf5_table import Hdf5Table
from dlclive_io.tables.table_layout import TableLayout
from dlclive_io.tables.wide_hdf5_table import WideHdf5Table


def open_hdf5(path: Path, layout: TableLayout) -> Hdf5File:
    """A table in DeepLabCut's layout; in pandas' other one if its header is too long."""
    return Hdf5Table(path, layout) if Hdf5Table.fits(layout) else WideHdf5Table(path, layout)


def open_table(path: Path, suffix: str, layout: TableLayout) -> Hdf5File | CsvTable:
    """Create a table at `path`, in the format of this suffix."""
    return open_hdf5(path, layout) if suffix == Hdf5Table.suffix else CsvTable(path, layout)
