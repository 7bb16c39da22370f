"""CSV files of events, from which nothing is lost when the program is killed."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

from dlclive_core import DataError, OutputExistsError, TriggerEvent, open_unlinked

TRIGGER_COLUMNS = ("frame", "time", "trigger", "individual", "event", "x", "y", "confidence", "value")


class EventLog:
    """A CSV file of events.

    Each line is handed to the operating system before `add` returns, so nothing is lost if the program is killed; only a
    power cut can lose the last seconds.

    Args:
        path: of the file; its folder must exist.
        columns: the first line.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputExistsError: the file exists and may not be replaced.
        DataError: it cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str], overwrite: bool) -> None:
        self._path = path
        self._file = create_event_file(path, overwrite)
        try:
            self.add(columns)
        except DataError:
            self.close()
            raise

    def add(self, row: Sequence[object]) -> None:
        """Write one line. Raises DataError if that fails, for example on a full disk."""
        line = io.StringIO()
        # A name may hold a lone carriage return, which Python's csv module leaves unquoted before 3.13, or half a surrogate.
        quoting: Literal[0, 1] = csv.QUOTE_ALL if any("\r" in str(cell) for cell in row) else csv.QUOTE_MINIMAL
        csv.writer(line, lineterminator="\n", quoting=quoting).writerow(row)
        content = line.getvalue().encode(errors="backslashreplace")
        try:
            if self._file.write(content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise _failure(self._path, error) from error

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._file.close()


def trigger_row(event: TriggerEvent) -> Sequence[object]:
    """The line of an event, in the order of `TRIGGER_COLUMNS`."""
    place = (f"{event.x:.3f}", f"{event.y:.3f}", f"{event.confidence:.4f}", f"{event.value:.6g}")
    return (event.frame, f"{event.time:.6f}", event.trigger, event.individual, event.event, *place)


def create_event_file(path: Path, overwrite: bool) -> io.FileIO:
    """Create an unbuffered file for events.

    Raises:
        OutputExistsError: the file exists and may not be replaced.
        DataError: it cannot be written.
    """
    try:
        return cast("io.FileIO", open_unlinked(path, "wb" if overwrite else "xb", buffering=0))
    except FileExistsError:
        raise OutputExistsError(f"{path} already exists; choose another name, or set overwrite=true") from None
    except OSError as error:
        raise _failure(path, error) from error


def _failure(path: Path, error: OSError) -> DataError:
    return DataError(
        f"events cannot be written to {path}: {error.strerror}; choose a folder that exists, on a disk with space"
    )
