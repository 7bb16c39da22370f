"""The sink that writes poses in space as Anipose does."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, Estimate, Pose3D, RunInfo, Sink, open_unlinked
from dlclive_io.flush_schedule import FlushSchedule
from dlclive_io.output_file import OutputFile
from dlclive_io.tables.row_blocks import RowBlocks, Values

FRAME = "fnum"
"""Anipose's name of the column with the frame's number; here the first."""

_POINT = ("x", "y", "z", "error", "ncams", "score")
_AXES = tuple(f"M_{row}{column}" for row in range(3) for column in range(3))
_CENTRE = tuple(f"center_{axis}" for axis in range(3))


class AniposeTable(Sink):
    """Writes the columns of Anipose's `pose-3d` tables: one CSV row for each frame of the reference.

    For each keypoint `_x`, `_y`, `_z` [unit of the calibration], `_error` [px, reprojection], `_ncams`, `_score`; then
    `M_00` to `M_22` and `center_0` to `center_2`, with which Anipose turns positions to the axes of its reference: here a
    turn by nothing, because positions are those of the calibration. Frames without a pose have empty cells.

    The table holds one animal: the one with the highest mean confidence. `left_out` counts the others; `PoseTable` writes all.
    Until `finish`, the file is called `<path>.part`; a crash loses at most the last 0.2 s.

    Args:
        path: ends in .csv.
        overwrite: replace an existing file.
    """

    dimensions = (3,)

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self._output = OutputFile(path, (".csv",), overwrite=overwrite)
        self._file: IO[str] | None = None
        self._is_empty = True
        self.left_out = 0

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The table; its `.part` if the run did not finish."""
        return self._output.outputs

    def open(self, run: RunInfo) -> None:
        """Write the header. Raises OutputExistsError, DataError."""
        part = self._output.begin(keeps_unfinished=run.is_live)
        keypoints = run.card.skeleton.keypoints
        self._blocks = RowBlocks(len(keypoints) * len(_POINT), self._append, 1)
        self._flushes, self.left_out, self._is_empty = FlushSchedule(), 0, True
        with self._output.errors():
            self._file = open_unlinked(part, "w", newline="", encoding="utf-8", errors="backslashreplace")
            self._writer = csv.writer(self._file, lineterminator="\n")
            columns = (f"{name}_{value}" for name in keypoints for value in _POINT)
            self._writer.writerow([FRAME, *columns, *_AXES, *_CENTRE])
            self._file.flush()

    def write(self, estimate: Estimate) -> None:
        """Append a row, after rows of missing frames. Raises DataError."""
        file, pose = self._opened(), estimate.pose
        if not isinstance(pose, Pose3D):
            raise DataError(f"{self._output.path} holds poses in space, not in pixels")
        if estimate.frame.index < self._blocks.next:
            raise DataError(
                f"frame {estimate.frame.index} comes after frame {self._blocks.next - 1}: numbers must increase"
            )
        self._is_empty = False
        with self._output.errors():
            self._blocks.add(estimate.frame.index, self._row(pose))
            self._flushes.after_row(file)

    def finish(self) -> None:
        """Give the file its final name."""
        file, self._file = self._opened(), None
        with self._output.errors():
            file.close()
        self._output.commit()

    def close(self) -> None:
        """Close the file; an unfinished one keeps the name `.part`, and one without a frame is removed."""
        file, self._file = self._file, None
        try:
            if file is not None:
                with self._output.errors():
                    file.close()
        finally:
            self._output.release(is_empty=self._is_empty)

    def _row(self, pose: Pose3D) -> NDArray[np.float32]:
        values = np.full((len(pose.skeleton), len(_POINT)), np.nan, np.float32)
        if len(pose):
            animal = int(np.argmax(pose.confidence.mean(axis=1)))
            self.left_out += len(pose) - 1
            values[:, :3], values[:, 5] = pose.positions[animal], pose.confidence[animal]
            if pose.error is not None:
                values[:, 3] = pose.error[animal]
            if pose.views is not None:
                values[:, 4] = pose.views[animal]
        return values.reshape(-1)

    def _append(self, first: int, rows: Values) -> None:
        identity = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]
        for number, row in enumerate(rows, first):
            self._writer.writerow([number, *("" if value != value else str(value) for value in row), *identity])

    def _opened(self) -> IO[str]:
        if self._file is None:
            raise DataError(f"{self._output.path} is not open: call open() first")
        return self._file
