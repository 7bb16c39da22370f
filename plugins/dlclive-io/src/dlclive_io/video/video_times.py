"""The timestamps of a recorded video's frames."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import IO

from dlclive_core import DataError, Frame, RunInfo, open_unlinked
from dlclive_io.flush_schedule import FlushSchedule
from dlclive_io.output_file import OutputFile
from dlclive_io.tables.timestamp_table import times_of

COLUMNS = ("frame", "video", "video_frame", "captured_at_s", "device_time_s", "wall_time")


class VideoTimes:
    """Writes one CSV row per frame of a recording, before the frame, so that a killed process leaves no frame without a row.

    Columns: `frame`, its number in the source; `video`, the file that holds it, and `video_frame`, its position there from
    0; `captured_at_s`, `device_time_s` and `wall_time` as in `TimestampTable`.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self.output = OutputFile(path, (".csv",), overwrite=overwrite)
        self._file: IO[str] | None = None

    def open(self, run: RunInfo) -> None:
        """Write the header. Raises OutputExistsError, DataError."""
        part = self.output.begin(keeps_unfinished=run.is_live)
        self._clock = run.started_at, run.started_clock
        self._flushes = FlushSchedule(every_row=True)
        with self.output.errors():
            self._file = open_unlinked(part, "w", newline="", encoding="utf-8")
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow(COLUMNS)
            self._file.flush()

    def write(self, frame: Frame, video: str, video_frame: int) -> None:
        """Append a row and flush it. Raises DataError."""
        if self._file is None:
            raise DataError(f"{self.output.path} is not open: call open() first")
        with self.output.errors():
            self._writer.writerow((frame.index, video, video_frame, *times_of(frame, *self._clock)))
            self._flushes.after_row(self._file)

    def end(self) -> None:
        """Close the file, which keeps the name `.part`. Safe to call twice."""
        file, self._file = self._file, None
        if file is not None:
            with self.output.errors():
                file.close()
