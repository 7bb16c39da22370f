"""The machine labels in the folder of a video of a DeepLabCut project."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError
from dlclive_core.runtimes import LABELLED_DATA
from dlclive_io.deeplabcut.hdf5_pandas import read_labels
from dlclive_io.deeplabcut.labelled_table import Label, LabelledTable
from dlclive_io.labelling.fixed_hdf5 import write_fixed
from dlclive_io.output_file import reason

CSV_NAME = "machinelabels.csv"


def labels_name(iteration: int) -> str:
    """The file of an iteration's machine labels."""
    return f"machinelabels-iter{iteration}.h5"


class MachineLabels:
    """Machine labels of the pictures of one video.

    Args:
        video: name of the video's folder.
        names: of the levels of the columns' labels.
        columns: the label of each column of the rows that are added.
        earlier: the labels that the project has.
    """

    def __init__(self, video: str, names: Label, columns: Sequence[Label], earlier: LabelledTable | None) -> None:
        self._video, self._names = video, names
        self._columns = list(columns) if earlier is None else list(dict.fromkeys([*earlier.columns, *columns]))
        self._rows: list[Label] = [] if earlier is None else list(earlier.rows)
        before = (
            np.empty((0, len(self._columns))) if earlier is None else self._aligned(earlier.columns, earlier.values)
        )
        self._values = list(before)
        self._new = list(columns)

    @classmethod
    def read(cls, file: Path, video: str, names: Label, columns: Sequence[Label]) -> MachineLabels:
        """Begin with the labels in a file, if there is one. Raises DataError: unreadable, or another project's."""
        earlier = read_labels(file) if file.exists() else None
        if earlier is not None and (len(earlier.names) != len(names) or any(len(row) != 3 for row in earlier.rows)):
            levels = ", ".join(names)
            raise DataError(f"{file} has other levels than this project's ({levels}): move it away, then try again")
        return cls(video, names, columns, earlier)

    @property
    def images(self) -> set[str]:
        """The names of the pictures that have machine labels."""
        return {row[-1] for row in self._rows}

    def add(self, image: str, values: NDArray[np.float32]) -> None:
        """Add the labels of a picture: the (columns,) values of a table's row. Not detected keypoints have no position."""
        self._rows.append((LABELLED_DATA, self._video, image))
        self._values.append(self._aligned(self._new, values.astype(np.float64)[None])[0])

    def write_hdf5(self, path: Path) -> None:
        """Fill an empty file. Raises DataError."""
        try:
            write_fixed(path, self._table())
        except Exception as error:  # PyTables has errors of its own for a full disk
            raise DataError(f"cannot write {path}: {reason(error).splitlines()[0]}") from error

    def csv_text(self) -> str:
        """The same as pandas writes it as CSV."""
        table = self._table()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        levels = len(table.rows[0])
        for number, name in enumerate(table.names):
            writer.writerow([name, *[""] * (levels - 1), *(column[number] for column in table.columns)])
        for row, values in zip(table.rows, table.values, strict=True):
            writer.writerow([*row, *("" if np.isnan(value) else repr(float(value)) for value in values)])
        return text.getvalue()

    def _table(self) -> LabelledTable:
        order = sorted(range(len(self._rows)), key=lambda place: self._rows[place])
        return LabelledTable(
            self._names,
            self._columns,
            [self._rows[place] for place in order],
            np.array([self._values[place] for place in order]),
        )

    def _aligned(self, columns: Sequence[Label], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of some columns, as rows of all; NaN for the others."""
        places = {label: place for place, label in enumerate(self._columns)}
        rows = np.full((len(values), len(self._columns)), np.nan)
        rows[:, [places[label] for label in columns]] = values
        return rows
