"""Finds what a run recorded among its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlclive_core import RecordedRun, RunInfo, is_times
from dlclive_io.replay.record_file import RecordFile
from dlclive_io.replay.replay_record import SUFFIX
from dlclive_io.replay.table_rows import is_pose_table
from dlclive_io.replay.tables_run import TablesRun

_PART = ".part"


def read_run(files: Sequence[Path], run: RunInfo) -> RecordedRun | None:
    """What the files of a run hold of its poses: a replay record, or else a table, with its timestamps.

    Args:
        files: that the run left, finished or as `.part`.
        run: what `run.json` says of it; a replay record has its own description.

    Returns:
        None if none of the files has poses.

    Raises:
        DataError: the best file is damaged, or belongs to another model.
    """
    by_suffix: dict[str, list[Path]] = {}
    for file in files:
        by_suffix.setdefault(Path(file.name.removesuffix(_PART)).suffix.lower(), []).append(file)
    for record in by_suffix.get(SUFFIX, ()):
        return RecordFile(record)
    times = next((file for file in by_suffix.get(".csv", ()) if is_times(file)), None)
    for table in (*by_suffix.get(".h5", ()), *by_suffix.get(".csv", ())):
        if is_pose_table(table):
            return TablesRun(table, times, run)
    return None
