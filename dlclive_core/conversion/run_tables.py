"""The tables and timestamps of a run, by its run.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.names import file_name_part
from dlclive_core.data.recorded_times import is_times
from dlclive_core.data.run_record import (
    files_of,
    is_of_recovery_alone,
    read_record,
    records_of,
    recovered_files,
    run_of,
    unlike_a_record,
)
from dlclive_core.errors import DataError, DLCLiveError, UsageError, nearest


@dataclass(frozen=True, slots=True)
class RunTables:
    """One session of a run, or one video of `dlclive analyze`.

    Attributes:
        record: the run.json.
        name: of its source.
        files: what it left.
        run: its description; its clock begins at 0. None if only `dlclive recover` has written the record.
    """

    record: Path
    name: str
    files: tuple[Path, ...]
    run: RunInfo | None

    @property
    def times(self) -> Path | None:
        """The table of timestamps that counts frames as the poses do: not that of a recorded video, if there is another."""
        tables = [file for file in self.files if is_times(file)]
        return min(tables, key=_has_places, default=None)


def read_run_tables(record: Path) -> tuple[RunTables, ...]:
    """The sessions of a run. Raises DataError."""
    values = read_record(record)
    read = _videos if "videos" in values else _recovered if is_of_recovery_alone(values) else _live
    try:
        sessions = tuple(read(record, values))
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        if isinstance(error, DLCLiveError):
            raise
        raise unlike_a_record(record, error) from None
    if not sessions:
        raise DataError(f"{record} has no session")
    return sessions


def chosen_tables(sessions: Sequence[RunTables], name: str | None) -> RunTables:
    """The session of a name, or the only one. Raises UsageError."""
    names = [session.name for session in sessions]
    if name is None and len(sessions) > 1:
        raise UsageError(f"the run has several sources ({', '.join(names)}); say which one: --name")
    for session in sessions:
        if name in (None, session.name):
            return session
    raise UsageError(f"the run has no source {name!r}: {nearest(str(name), names)}")


def run_of_table(table: Path) -> RunTables | None:
    """The run that has written a table, by a run.json in the same folder; None if none tells."""
    try:
        records = records_of(table.absolute().parent)
    except OSError:
        return None
    for record in records:
        try:
            sessions = read_run_tables(record)
        except DLCLiveError:  # another program's, or a run of another version
            continue
        for session in sessions:
            if any(_is_same(file, table) for file in session.files):
                return session
    return None


def _live(record: Path, values: Mapping[str, Any]) -> list[RunTables]:
    sessions = []
    for entry in values.get("sources", [values]):
        run = run_of(record, entry["model"], entry["source"], "", values.get("began"))
        name = entry.get("name") or file_name_part(Path(run.source.replace("\\", "/")).stem)
        names = [*entry.get("files", ()), *entry.get("outputs", ()), *recovered_files(values)]
        sessions.append(RunTables(record, str(name), files_of(record.parent, names), run))
    return sessions


def _recovered(record: Path, values: Mapping[str, Any]) -> list[RunTables]:
    """The files alone: nothing else is known of the run."""
    name = file_name_part(record.absolute().parent.name) or "run"
    return [RunTables(record, name, files_of(record.parent, recovered_files(values)), None)]


def _videos(record: Path, values: Mapping[str, Any]) -> list[RunTables]:
    sessions = []
    for entry in values["videos"]:
        name = file_name_part(Path(entry["video"].replace("\\", "/")).stem) or "video"
        run = run_of(record, values["model"], {"name": entry["video"], "is_live": False}, name, values.get("began"))
        sessions.append(RunTables(record, name, files_of(record.parent, entry["outputs"]), run))
    return sessions


def _has_places(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"video_frame" in file.readline(4096)
    except OSError:
        return True


def _is_same(file: Path, other: Path) -> bool:
    try:
        return file.samefile(other)
    except OSError:
        return False
