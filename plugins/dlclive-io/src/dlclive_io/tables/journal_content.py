"""Reads the journal of a killed run row by row; a damaged row does not affect the others."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, DLCLiveError, ModelCard
from dlclive_io.output_file import reason
from dlclive_io.tables.journal_log import mend_log
from dlclive_io.tables.pose_journal import FILES, KEPT_LOG_SUFFIX, LOG_SUFFIX, VERSION
from dlclive_io.tables.row_blocks import LAST_NUMBER

_ROW = "SELECT frame, captured_at_s, float32_values FROM frames WHERE frame >= ? ORDER BY frame"


class JournalContent:
    """The journal of a killed run. Opening it lets SQLite complete pending transactions; rows are never changed.

    Raises:
        DataError: the description of the run is damaged, a newer version wrote the journal, or it is a symbolic link.

    Attributes:
        card: the model card.
        dimensions: of the poses.
        header: the run's source, is_live, fps and started_at; what `PoseJournal` was given more.
        seconds: capture time of the last frame read, from the start of the run; None before the first.
        damaged_rows: rows that differ from what was written.
        damaged_places: parts of the file that SQLite could not read; each holds the rows of several frames.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seconds: float | None = None
        self.damaged_rows = self.damaged_places = 0
        for suffix in FILES:
            if path.with_name(path.name + suffix).is_symlink():
                raise DataError(f"{path}{suffix} is a symbolic link, which dlclive never creates: remove it")
        try:  # before SQLite opens the log, because it discards what it cannot read
            kept = path.with_name(path.name + KEPT_LOG_SUFFIX)
            self._is_mended = mend_log(path.with_name(path.name + LOG_SUFFIX), kept) or kept.exists()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {reason(error)}") from None
        with self._opened() as database:
            self.header: dict[str, Any] = {
                name: json.loads(value) for name, value in database.execute("SELECT name, value FROM header")
            }
            if self.header.get("version", VERSION + 1) > VERSION:
                raise DataError(f"{path} was written by a newer dlclive-io: update it")
            self.card = ModelCard.from_json(json.dumps(self.header["card"]))
            self.dimensions = self.header.get("dimensions", 2)  # journals of the first versions do not tell
            if self.dimensions not in (2, 3):
                raise DataError(f"{path} was written by a newer dlclive-io, or is damaged: its poses are unknown")

    @property
    def damage(self) -> str:
        """A description of the damage, for a report; "" if there is none."""
        rows = f"{self.damaged_rows} damaged rows are left out" if self.damaged_rows else ""
        places = f"{self.damaged_places} places of the journal are damaged" if self.damaged_places else ""
        log = "the journal's log was damaged" if self._is_mended else ""
        return ", and ".join(filter(None, (rows, places, log)))

    def frames(self, columns: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the number and row of every frame whose row is intact, in order."""
        for number, _, row in self.timed_frames(columns):
            yield number, row

    def timed_frames(self, columns: int) -> Iterator[tuple[int, float, NDArray[np.float32]]]:
        """As `frames`, with the capture time in seconds between number and row; NaN where it is not known."""
        self.damaged_rows = self.damaged_places = 0
        with self._opened() as database:
            following: int | None = 0
            left = self._most_rows(columns)
            while following is not None and left > 0:
                last = following - 1
                try:
                    for number, captured, values in database.execute(_ROW, (following,)):
                        left -= 1
                        if left <= 0:  # damaged pages that lead back to earlier ones: the scan would never end
                            break
                        if not (isinstance(number, int) and last < number < LAST_NUMBER):
                            self.damaged_rows += 1
                            continue
                        last = number
                        if not _is_intact(database, number, values, columns):
                            self.damaged_rows += 1
                            continue
                        is_known = isinstance(captured, float) and math.isfinite(captured)
                        if is_known:
                            self.seconds = captured
                        yield number, captured if is_known else math.nan, np.frombuffer(values, np.float32)
                    if left > 0:
                        following = None
                except sqlite3.DatabaseError:
                    self.damaged_places += 1
                    left -= 1
                    following = _next_readable(database, last + 1)
            self.damaged_places += left <= 0

    def _most_rows(self, columns: int) -> int:
        """The number of rows that files of this size can hold at most."""
        files = [self._path.with_name(self._path.name + suffix) for suffix in FILES]
        return sum(file.stat().st_size for file in files if file.exists()) // (4 * max(1, columns)) + 1000

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path.absolute(), isolation_level=None)
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            yield database
        except DataError:
            raise
        except (sqlite3.Error, KeyError, TypeError, ValueError, DLCLiveError) as error:
            raise DataError(
                f"{self._path} is not a readable pose journal: {' '.join(str(error).split())[:300]}"
            ) from error
        finally:
            database.close()


def _is_intact(database: sqlite3.Connection, number: int, values: object, columns: int) -> bool:
    """Whether a row has the right length and, if its checksum is readable, the values that were written."""
    if not isinstance(values, bytes) or len(values) != 4 * columns:
        return False
    try:
        checksum = database.execute("SELECT crc32 FROM checks WHERE frame = ?", (number,)).fetchone()
    except sqlite3.DatabaseError:
        return True
    return checksum is None or checksum[0] == zlib.crc32(values)


def _next_readable(database: sqlite3.Connection, number: int) -> int | None:
    """The first number after a damaged page; None if there is none.

    A search for a number ends in a single page, so it fails only for numbers in the damaged page.
    """
    step = 1
    while not _can_seek(database, number + step):
        step *= 2
        if number + step >= LAST_NUMBER:
            return None
    bad, good = number, number + step
    while good - bad > 1:
        middle = (bad + good) // 2
        if _can_seek(database, middle):
            good = middle
        else:
            bad = middle
    return good


def _can_seek(database: sqlite3.Connection, number: int) -> bool:
    try:
        database.execute(f"{_ROW} LIMIT 1", (number,)).fetchone()
    except sqlite3.DatabaseError:
        return False
    return True
