"""The sink that records what a replay begins with."""

from __future__ import annotations

import errno
import io
import os
import time
from pathlib import Path
from typing import cast

from dlclive_core import DataError, Estimate, OutputExistsError, RunInfo, Sink, open_unlinked
from dlclive_io.flush_schedule import SYNC_SECONDS
from dlclive_io.output_file import OutputFile
from dlclive_io.replay.record_format import LONGEST_FRAME, block, write_frame, write_header

SUFFIX = ".replay"


class ReplayRecord(Sink):
    """Records the model's pose and the times of each frame, to the last bit, for `dlclive replay`.

    The poses are those before the processors, so that a run can be replayed through others. Of the pose after them it keeps a
    checksum, so that a replay can show that it is the same. `dlclive run` adds this sink to every session with processors.

    Memory does not grow with the run; a frame takes 66 bytes and 12 per keypoint. Each row is handed to the operating
    system at once and synced to disk every second: a killed process loses nothing that was written, and
    `dlclive_io.recover` gives the file its name.

    Args:
        path: ends in .replay.
        numbered: if the name is taken, take the next free one: poses-2.replay, poses-3.replay, ...
        overwrite: replace an existing file.
    """

    def __init__(self, path: Path, numbered: bool = False, overwrite: bool = False) -> None:
        self._path, self._overwrite = Path(path), overwrite
        self._numbered = numbered and not overwrite
        self._output = OutputFile(self._path, (SUFFIX,), overwrite=overwrite)
        self._file: io.FileIO | None = None
        self._synced = 0.0
        self._frames = 0

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The file; its `.part` if the run did not finish."""
        return self._output.outputs

    def open(self, run: RunInfo) -> None:
        """Write the header. Raises OutputExistsError, DataError."""
        part, self._frames = self._begin(run), 0
        with self._output.errors():
            self._file = cast("io.FileIO", open_unlinked(part, "wb", buffering=0))
            self._synced = time.monotonic()
            self._write(self._file, write_header(run))

    def write(self, estimate: Estimate) -> None:
        """Append a frame. Raises DataError."""
        if self._file is None:
            raise DataError(f"{self._output.path} is not open: call open() first")
        content = write_frame(estimate)
        if len(content) > LONGEST_FRAME:
            raise DataError(f"{self._output.path}: frame {estimate.frame.index} has {len(estimate.pose)} individuals")
        with self._output.errors():
            self._write(self._file, block(content))
            self._frames += 1
            now = time.monotonic()
            if now - self._synced > SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = now

    def finish(self) -> None:
        """Give the file its final name."""
        self._close_file()
        self._output.commit()

    def close(self) -> None:
        """Close the file; an unfinished one keeps the name `.part`. One without a frame is removed: the run never began."""
        is_empty = self._file is not None and not self._frames
        try:
            self._close_file()
            if is_empty:
                self._output.discard()
        finally:
            self._output.release()

    def _begin(self, run: RunInfo) -> Path:
        number = 1
        while True:
            try:
                return self._output.begin(keeps_unfinished=run.is_live or self._numbered)
            except OutputExistsError:
                if not self._numbered:
                    raise
            number += 1
            path = self._path.with_name(f"{self._path.stem}-{number}{SUFFIX}")
            self._output = OutputFile(path, (SUFFIX,), overwrite=False)

    def _write(self, file: io.FileIO, content: bytes) -> None:
        if file.write(content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with self._output.errors():
                file.close()
