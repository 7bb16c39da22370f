"""The events of a region trigger, and their CSV file."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal, cast

from dlclive_core import DataError, OutputExistsError, open_unlinked

EventKind = Literal["enter", "leave", "lost", "end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionEvent:
    """An individual's keypoint entered a region or is no longer in it.

    Attributes:
        frame: the frame's number.
        time: seconds since the run began (live) or in the recording.
        individual: its identity, or the name of its row.
        event: "enter"; "leave": it was seen outside; "lost": it is no longer seen; "end": the run ended while it was
            inside. Every "enter" is followed by one of the other three.
        x, y: position of the keypoint in that frame, px; NaN if it was not detected.
        confidence: the model's; 0 if it was not detected.
    """

    frame: int
    time: float
    individual: str
    event: EventKind
    x: float
    y: float
    confidence: float


class EventLog:
    """A CSV file of events.

    Each line is handed to the operating system before `add` returns, so nothing is lost if the program is killed; only a
    power cut can lose the last seconds.

    Args:
        path: of the file; its folder must exist.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputExistsError: the file exists and may not be replaced.
        DataError: it cannot be written.
    """

    def __init__(self, path: Path, overwrite: bool) -> None:
        self._path = path
        self._file = create_event_file(path, overwrite)
        try:
            self._write([field.name for field in fields(RegionEvent)])
        except DataError:
            self.close()
            raise

    def add(self, event: RegionEvent) -> None:
        """Write one event. Raises DataError if that fails, for example on a full disk."""
        frame, time, individual, kind, x, y, confidence = astuple(event)
        self._write([frame, f"{time:.6f}", individual, kind, f"{x:.3f}", f"{y:.3f}", f"{confidence:.4f}"])

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._file.close()

    def _write(self, row: Sequence[object]) -> None:
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
