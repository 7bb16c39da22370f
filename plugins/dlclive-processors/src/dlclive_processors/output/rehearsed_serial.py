"""What takes the place of a serial output in a replay."""

from __future__ import annotations

import io
from pathlib import Path

from dlclive_core import DataError, DryOutput, Reason, RunClock
from dlclive_processors.output.event_file import COLUMNS
from dlclive_processors.triggers.event_log import create_event_file


class RehearsedSerial(DryOutput):
    """Writes the commands that the session would have given, in the columns of the output's own file.

    What only the device knows stays empty: the columns `sequence`, `sent`, `acknowledged` and `device_time`, and lines for
    what it did by itself.

    Args:
        clock: of the replay.
        longest: seconds after which the device would have switched itself off.
        events: the file; None: none is written.
        overwrite: whether it may replace an existing file.
    """

    def __init__(self, clock: RunClock, longest: float, events: Path | None, overwrite: bool) -> None:
        super().__init__(clock, longest)
        self._path, self._overwrite = events, overwrite
        self._file: io.FileIO | None = None
        self._origin = 0.0
        self._requested = False

    def open(self, origin: float) -> None:
        """Create the file. Raises OutputExistsError, DataError."""
        self._origin, self._requested = origin, False
        if self._path is not None:
            self._file = create_event_file(self._path, self._overwrite)
            self._write(",".join(COLUMNS))

    def renew(self, on: bool, reason: Reason, frame: int, age: float) -> None:
        super().renew(on, reason, frame, age)
        if on != self._requested:
            self._requested = on
            self._command("on" if on else "off", reason, frame, age)

    def off(self, reason: Reason) -> None:
        self.renew(False, reason, -1, 0.0)

    def close(self) -> None:
        super().close()
        if self._file is None:
            return
        try:
            self._command("off", Reason.END, -1, 0.0)
        finally:
            file, self._file = self._file, None
            file.close()

    def _command(self, event: str, reason: Reason, frame: int, age: float) -> None:
        decided = self._clock.now() - self._origin
        self._write(f",{event},{reason.label},{frame},{age:.6f},{decided:.6f},,,")

    def _write(self, line: str) -> None:
        if self._file is None:
            return
        content = f"{line}\n".encode()
        try:
            written = self._file.write(content)
        except OSError as error:
            raise DataError(f"events cannot be written to {self._path}: {error.strerror}") from error
        if written != len(content):
            raise DataError(f"events cannot be written to {self._path}: the disk is full")
