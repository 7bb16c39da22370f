"""The base class of sinks that write a format when the session ends."""

from __future__ import annotations

import logging
import math
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from dlclive_io import JournalContent, OutputFile, PoseJournal, TableLayout, remove_journal

from dlclive_core import (
    DataError,
    DLCLiveError,
    Estimate,
    Frame,
    ModelCard,
    OutputExistsError,
    RecordingInfo,
    RunInfo,
    Sink,
    TableFormat,
    write_recording,
)
from dlclive_formats.rows import MOST_EMPTY_FRAMES
from dlclive_formats.session.run_recording import RunRecording, info_of_run

_log = logging.getLogger(__name__)

SUFFIX = ".poses"
"""Of the journal. It is no `.part`, and no `.h5.journal`: those are dlclive-io's, which would make tables of them."""

FORMAT, OPTIONS = "format", "options"
"""Entries of the journal's header."""

LAST_NUMBER = 2**62

_FINISH_SECONDS = 30.0
_VALUES_PER_SECOND = 50_000  # the slowest format writes ten times as many


class FormatSink(Sink):
    """Keeps the poses of a session in a journal `<path>.poses`, and writes the format when the session ends.

    A crash loses at most the last 0.2 s: `dlclive recover` writes the file from the journal. If the file cannot be written,
    the journal stays, too.

    A subclass names its format, and has the format's options as typed keyword arguments:

        class NwbSink(FormatSink):
            format, suffixes = "nwb", (".nwb",)

            def __init__(self, path: Path, subject: str = "", overwrite: bool = False) -> None:
                super().__init__(path, NwbFormat, overwrite=overwrite, subject=subject)

    Args:
        path: ends in one of `suffixes`.
        writer: the format's class.
        overwrite: replace an existing file.
        options: of the writer; values that JSON can hold, and paths.

    Attributes:
        format: the name under which the package registers the format, from which `dlclive recover` builds it.
        suffixes: of its files.
        left_out: individuals beyond those of the project, summed over all frames.
        frames_left_out: frames with a number that cannot be one, because the source's counter jumped and came back.
    """

    format: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]

    def __init__(self, path: Path, writer: Callable[..., TableFormat], *, overwrite: bool, **options: Any) -> None:
        self._output = OutputFile(
            Path(path), self.suffixes, overwrite=overwrite, unfinished=SUFFIX, is_folder=self.writes_folders
        )
        self._writer = writer(**options)
        self._options = {name: _plain(value) for name, value in options.items()}
        self._overwrite = overwrite
        self._journal: PoseJournal | None = None
        self._layout: TableLayout | None = None
        self._files: tuple[Path, ...] = (self._output.path,)
        self._doubtful: tuple[int, float, Any] | None = None
        self._begun = False
        self._next = self._rows = self.frames_left_out = 0

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files of the format; the journal if they were not written."""
        return self._files

    @property
    def left_out(self) -> int:
        """See the class."""
        return self._layout.left_out if self._layout else 0

    @property
    def statistics(self) -> Mapping[str, float]:
        """What the file does not hold: `individuals_left_out`, `frames_left_out`; empty if it holds all."""
        counts = {"individuals_left_out": self.left_out, "frames_left_out": self.frames_left_out}
        return {name: count for name, count in counts.items() if count}

    @property
    def finish_limit(self) -> float:
        """Half a minute, and more for a long session, whose file is written in `finish`."""
        columns = len(self._layout.columns) if self._layout else 0
        return _FINISH_SECONDS + self._rows * columns / _VALUES_PER_SECOND

    def check(self, card: ModelCard) -> None:
        """Raise UsageError if the format cannot hold the model's poses."""
        self._writer.check(RecordingInfo(card=card, has_times=True))

    def open(self, run: RunInfo) -> None:
        """Begin the journal. Raises OutputExistsError, DataError, UsageError."""
        info = info_of_run(run)
        self._writer.check(info)
        targets = self._writer.outputs(info, self._output.path)
        for target in targets:
            if os.path.lexists(target) and not self._overwrite:
                raise OutputExistsError(f"{target} exists: use overwrite (--overwrite), or choose another name")
            if self.writes_folders and target.is_dir() and not self._writer.may_replace(target):
                raise OutputExistsError(f"{target} is a folder with other contents: choose another name")
        journal = self._output.begin(keeps_unfinished=run.is_live)
        self._begun, self._files = True, targets
        self._layout = TableLayout(info.card, run.dimensions)
        self._run = run
        self._doubtful = None
        self._next = self._rows = self.frames_left_out = 0
        with self._errors():
            # Times in the journal are those of the recording: see `_seconds`.
            more = {FORMAT: self.format, OPTIONS: self._options}
            self._journal = PoseJournal(journal, replace(run, card=info.card, started_clock=0.0), more)

    def write(self, estimate: Estimate) -> None:
        """Add a frame to the journal. Raises DataError."""
        _, layout = self._opened()
        number = estimate.frame.index
        if number < self._next:
            raise DataError(f"frame {number} comes after frame {self._next - 1}: frame numbers must increase")
        row = (number, self._seconds(estimate.frame), layout.row(estimate.pose))
        self._settle(number)
        if number - self._next <= MOST_EMPTY_FRAMES:
            self._add(*row)
        else:
            self._doubtful = row  # the next frame tells whether the source goes on from here

    def finish(self) -> None:
        """Write the file from the journal, and remove the journal. Raises DataError; then the journal stays."""
        journal, _ = self._opened()
        self._settle(None)
        with self._errors():
            journal.close()
            self._journal = None
            try:
                recording = RunRecording(JournalContent(journal.path), self._next)
                path = self._output.path
                self._files = write_recording(self._writer, recording, path, overwrite=self._overwrite)
            except DLCLiveError as error:
                raise type(error)(
                    f"{error}; the poses are kept in {journal.path}: run dlclive recover {journal.path.parent}"
                ) from error
            self._rows = 0
            if recording.damage:
                _log.error("%s: %s, which is kept as %s", path, recording.damage, journal.path.name)
            else:
                remove_journal(journal.path)
            self._begun = False

    def close(self) -> None:
        """Close the journal; it stays if the file was not written."""
        try:
            with self._errors():
                if self._journal is not None:
                    self._settle(None)
                    self._journal.close()
                if self._begun and self._rows:
                    self._files = (self._output.part,)
                elif self._begun:
                    remove_journal(self._output.part)  # not a single pose was kept in it
                    self._files = ()
        finally:
            self._journal, self._begun = None, False
            self._output.release()

    def _seconds(self, frame: Frame) -> float:
        """As `RunInfo.since_start`; NaN for a recording without times and rate, which it would date by when it was read."""
        run = self._run
        has_time = frame.device_time is not None and math.isfinite(frame.device_time)
        return run.since_start(frame) if run.is_live or has_time or run.fps else math.nan

    def _settle(self, following: int | None) -> None:
        """Keep the frame that came after a jump, unless `following`, the number of the next one, shows that it was wrong."""
        row, self._doubtful = self._doubtful, None
        if row is None:
            return
        if row[0] >= LAST_NUMBER or (following is not None and following <= row[0]):
            self.frames_left_out += 1
        else:
            self._add(*row)

    def _add(self, number: int, seconds: float, values: Any) -> None:
        journal, _ = self._opened()
        with self._errors():
            journal.add(number, seconds, values)
        self._next, self._rows = number + 1, self._rows + 1

    def _opened(self) -> tuple[PoseJournal, TableLayout]:
        if self._journal is None or self._layout is None:
            raise DataError(f"{self._output.path} is not open: call open() first")
        return self._journal, self._layout

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with self._output.errors():
            try:
                yield
            except sqlite3.Error as error:
                raise DataError(f"cannot write {self._output.part}: {error}; is the disk full?") from error


def _plain(value: Any) -> Any:
    """A value for JSON; a path is given in full, because `dlclive recover` may be run elsewhere."""
    return str(value.absolute()) if isinstance(value, Path) else value
