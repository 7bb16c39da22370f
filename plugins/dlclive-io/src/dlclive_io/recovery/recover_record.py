"""Recovery of replay records: only the last frame can be incomplete."""

from __future__ import annotations

import os
from pathlib import Path

from dlclive_core import RecoveredFile
from dlclive_io.replay.record_file import RecordFile


def recover_record(part: Path, final: Path) -> RecoveredFile:
    """Remove an incomplete last frame. Damaged frames stay, and a replay leaves them out.

    Raises DataError if the header cannot be read.
    """
    record = RecordFile(part)
    rows, seconds = 0, None
    for recorded in record.frames():
        rows += 1
        seconds = recorded.frame.captured_at - record.run.started_clock
    note = record.damage.partition(": ")[2] or "no whole frame is lost"
    if record.torn:
        with part.open("rb+") as file:
            file.truncate(part.stat().st_size - record.torn)
            os.fsync(file.fileno())
        note = "an incomplete last frame was removed"
    return RecoveredFile(path=final, kind="replay", rows=rows, seconds=seconds, note=note)
