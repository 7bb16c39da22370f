"""The sink that writes the timestamps of each frame."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import numpy as np

from dlclive_core import DataError, Estimate, Frame, RunInfo, Sink, open_unlinked
from dlclive_io.flush_schedule import FlushSchedule
from dlclive_io.output_file import OutputFile

COLUMNS = ("frame", "captured_at_s", "device_time_s", "wall_time", "inference_ms", "latency_ms")
UNLIKE = "unlike"


class TimestampTable(Sink):
    """Writes one CSV row per frame.

    Columns: `frame`, its number; `captured_at_s`, seconds from the start of the run until the host had it, on the
    monotonic clock, with all digits, for a replay; `device_time_s`, the camera's own clock or the time in the video, empty if
    there is none; `wall_time`, ISO 8601 with time zone: the start of the run plus `captured_at_s`, so that adjustments of the
    system clock have no effect; `inference_ms` in the model; `latency_ms` from capture to the finished pose. For a recording,
    "captured" means read. For a student, one more column: `unlike`, how unlike its training the frame is; see `Pose.unlike`.

    Args:
        path: ends in .csv.
        overwrite: replace an existing file.
    """

    dimensions = (2, 3)

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self._output = OutputFile(path, (".csv",), overwrite=overwrite)
        self._is_empty = True
        self._file: IO[str] | None = None

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The table; its `.part` if the run did not finish."""
        return self._output.outputs

    def open(self, run: RunInfo) -> None:
        """Write the header. Raises OutputExistsError, DataError."""
        part = self._output.begin(keeps_unfinished=run.is_live)
        self._clock = run.started_at, run.started_clock
        self._flushes, self._is_empty = FlushSchedule(), True
        self._is_of_student = run.card.student is not None
        with self._output.errors():
            self._file = open_unlinked(part, "w", newline="", encoding="utf-8")
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow((*COLUMNS, UNLIKE) if self._is_of_student else COLUMNS)
            self._file.flush()

    def write(self, estimate: Estimate) -> None:
        """Append a row. Raises DataError."""
        file = self._opened()
        self._is_empty = False
        with self._output.errors():
            self._writer.writerow(
                (
                    estimate.frame.index,
                    *times_of(estimate.frame, *self._clock),
                    f"{(estimate.inference_ended - estimate.inference_began) * 1e3:.3f}",
                    f"{estimate.latency * 1e3:.3f}",
                    *((_unlike(estimate),) if self._is_of_student else ()),
                )
            )
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

    def _opened(self) -> IO[str]:
        if self._file is None:
            raise DataError(f"{self._output.path} is not open: call open() first")
        return self._file


def _unlike(estimate: Estimate) -> str:
    """Of the model's pose, because a processor may make one of its own; empty where it is not known."""
    pose = estimate.pose if estimate.model_pose is None else estimate.model_pose  # one without animals is false
    return "" if pose.unlike is None else f"{pose.unlike:.4g}"


def times_of(frame: Frame, started_at: datetime, started_clock: float) -> tuple[str, str, str]:
    """A frame's captured_at_s, device_time_s and wall_time, as text."""
    captured = frame.captured_at - started_clock
    device = "" if frame.device_time is None else repr(float(frame.device_time))
    wall = started_at + timedelta(seconds=captured)
    return np.format_float_positional(captured, min_digits=6), device, wall.isoformat(timespec="microseconds")
