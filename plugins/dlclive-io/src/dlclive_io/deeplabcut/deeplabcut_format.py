"""DeepLabCut's tables as a format of finished poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dlclive_core import DataError, PoseRecording, RecordingInfo, TableFormat, UsageError
from dlclive_io.deeplabcut.csv_pandas import is_csv_table, read_csv
from dlclive_io.deeplabcut.hdf5_pandas import is_hdf5_table, read_hdf5
from dlclive_io.deeplabcut.rows import rows_of_block
from dlclive_io.hdf5_nodes import SIGNATURE
from dlclive_io.output_file import reason
from dlclive_io.tables.csv_table import CsvTable
from dlclive_io.tables.hdf5_table import Hdf5Table
from dlclive_io.tables.open_table import open_table
from dlclive_io.tables.row_blocks import RowBlocks
from dlclive_io.tables.table_layout import UNIQUE_INDIVIDUAL, TableLayout

_HDF5_SUFFIXES = (".h5", ".hdf5")


class DeepLabCutFormat(TableFormat):
    """Reads DeepLabCut's `.h5` and `.csv` of every kind of project, and writes them as `PoseTable` does, in float64.

    Read are predictions, filtered ones, tracks (`_el`, `_bx`, `_sk`, `_ctd`), the tables of deeplabcut-live, which have no
    scorer, and labels (`CollectedData`, `machinelabels`), whose frame numbers are those in the names of the images. Both of
    pandas' layouts are read, from any version. Nothing is unpickled but names, and no file can run a program.

    Positions are DeepLabCut's own, so nothing is shifted. Rows of -1 are missing animals. Tables have no times, no size of the
    frames, and no skeleton: `dlclive convert --times` and `--model` add them.

    Args:
        scorer: to write, in place of that of the recording.
    """

    def __init__(self, scorer: str = "") -> None:
        self._scorer = scorer

    def recognizes(self, path: Path) -> bool:
        """Whether it is HDF5 or CSV with DeepLabCut's header."""
        try:
            return is_hdf5_table(path) if _is_hdf5(path) else is_csv_table(path)
        except OSError:  # a folder, or one that may not be read
            return False

    def read(self, path: Path) -> PoseRecording:
        """Open a table. Raises DataError."""
        try:
            if _is_hdf5(path):
                return read_hdf5(path)
            if path.suffix.lower() in _HDF5_SUFFIXES and not is_csv_table(path):
                what = "is empty" if not path.stat().st_size else "is not HDF5, or its beginning is damaged"
                raise DataError(f"{path} cannot be read as a DeepLabCut table: it {what}")
            return read_csv(path)
        except OSError as error:
            raise DataError(f"cannot read {path}: {reason(error)}") from None

    def check(self, info: RecordingInfo) -> None:
        """Raise UsageError if an animal has the name under which unique keypoints are written."""
        if info.card.unique_keypoints and UNIQUE_INDIVIDUAL in info.card.individuals:
            raise UsageError(
                f"an animal named {UNIQUE_INDIVIDUAL!r} cannot be told from unique keypoints in a DeepLabCut table: rename it"
            )

    def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
        """Write a table: HDF5 if the path ends in .h5, else CSV. Raises DataError, DependencyError."""
        card = recording.info.card
        if self._scorer:
            card = card.with_(scorer=self._scorer)
        if len(card.individuals) > 1:
            card = card.with_(multi_animal=True)
        layout = TableLayout(card, recording.info.dimensions)
        suffix = path.suffix.lower()
        if suffix not in (Hdf5Table.suffix, CsvTable.suffix):
            raise UsageError(f"{path} must end in .h5 or .csv: the suffix selects the format")
        table = open_table(path, suffix, layout)
        try:
            width = len(layout.columns)
            blocks = RowBlocks(width, table.append, rows_of_block(width), np.float64)
            for rows in recording.blocks():
                for number, values in zip(rows.numbers, rows.flat(), strict=True):
                    blocks.add(int(number), values)
            blocks.fill(recording.frame_count)
            blocks.flush()
            table.finish()
        finally:
            table.close()
        return (path,)


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE
