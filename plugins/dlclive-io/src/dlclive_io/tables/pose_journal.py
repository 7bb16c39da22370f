"""The journal of a table: rows that survive a crash of the process.

HDF5 writes to many places in a file, so the file of a killed process may be lost. An SQLite database with a write-ahead
log stays readable whenever its writer is killed, and holds exactly what was committed.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import RunInfo
from dlclive_io.flush_schedule import FLUSH_SECONDS, SYNC_SECONDS

VERSION = 1
SUFFIX = ".journal"

LOG_SUFFIX = "-wal"
KEPT_LOG_SUFFIX = "-wal.damaged"
"""The original of a log that was mended: see `journal_log`."""

FILES = ("", LOG_SUFFIX, "-shm", "-journal", KEPT_LOG_SUFFIX)
"""What may lie beside a journal: all but the last are SQLite's."""


class PoseJournal:
    """Records rows; commits them to the operating system every 0.2 s and to disk every second.

    The header (card, source, clock) is on disk when the constructor returns. Raises sqlite3.Error.

    Args:
        path: of the database; an existing one is replaced.
        run: described in the header.
        more: further entries of the header, which JSON can hold.
    """

    def __init__(self, path: Path, run: RunInfo, more: Mapping[str, Any] | None = None) -> None:
        self.path = path
        remove_journal(path)
        self._started_clock = run.started_clock
        # SQLite may take a name such as `file:x` for an address, but not an absolute path. Autocommit: this class manages
        # transactions itself. A sink is used by one thread at a time.
        self._database = sqlite3.connect(path.absolute(), isolation_level=None, check_same_thread=False)
        try:
            run_sql = self._database.execute
            run_sql("PRAGMA locking_mode = EXCLUSIVE")  # no shared memory: works on network drives, too
            run_sql("PRAGMA journal_mode = WAL")
            run_sql("PRAGMA synchronous = FULL")
            run_sql("PRAGMA cache_size = -128")  # KB; what was written is not read again
            run_sql("BEGIN")
            run_sql("CREATE TABLE header (name TEXT PRIMARY KEY, value TEXT)")
            run_sql("CREATE TABLE frames (frame INTEGER PRIMARY KEY, captured_at_s REAL, float32_values BLOB)")
            run_sql("CREATE TABLE checks (frame INTEGER PRIMARY KEY, crc32 INTEGER)")  # SQLite itself checks no values
            self._database.executemany("INSERT INTO header VALUES (?, ?)", _header(run, more or {}).items())
            run_sql("COMMIT")
            self._synced = time.monotonic()
            self._begin()
        except BaseException:
            self._database.close()
            raise

    def add(self, frame: int, captured_at: float, row: NDArray[np.float32]) -> None:
        """Append the row of one frame, which takes about 7 us. Frame numbers must increase."""
        captured, values = captured_at - self._started_clock, row.tobytes()
        self._database.execute("INSERT INTO frames VALUES (?, ?, ?)", (frame, captured, values))
        self._database.execute("INSERT INTO checks VALUES (?, ?)", (frame, zlib.crc32(values)))
        if time.monotonic() - self._committed >= FLUSH_SECONDS:
            self.commit()

    def commit(self) -> None:
        """Make the rows added so far survive a crash of the process."""
        self._database.execute("COMMIT")
        if self._syncs:
            self._synced = time.monotonic()
        self._begin()

    def close(self) -> None:
        """Commit the rows and close. Safe to call twice."""
        try:
            if self._database.in_transaction:
                self._database.execute("COMMIT")
        finally:
            self._database.close()

    def _begin(self) -> None:
        """Begin a transaction, one that syncs to disk if the next one would be too late."""
        self._committed = time.monotonic()
        self._syncs = self._committed - self._synced > SYNC_SECONDS / 2
        self._database.execute(f"PRAGMA synchronous = {'FULL' if self._syncs else 'NORMAL'}")
        self._database.execute("BEGIN")


def journal_of(table: Path) -> Path:
    """Path of a table's journal."""
    return table.with_name(table.name + SUFFIX)


def remove_journal(path: Path) -> None:
    """Remove a journal and SQLite's files beside it; the log last, since it is useless alone."""
    for suffix in FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _header(run: RunInfo, more: Mapping[str, Any]) -> dict[str, str]:
    values = {
        "version": VERSION,
        "card": json.loads(run.card.to_json()),
        "source": run.source,
        "is_live": run.is_live,
        "frame_size": run.frame_size,
        "fps": run.fps,
        "dimensions": run.dimensions,
        "unit": run.unit,
        "started_at": run.started_at.isoformat(),
        "started_clock": run.started_clock,
        **more,
    }
    return {name: json.dumps(value) for name, value in values.items()}
