"""Recovery of CSV tables: all lines are complete, except perhaps the last."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from dlclive_core import DataError, RecoveredFile
from dlclive_io.recovery.recover_video import count_frames
from dlclive_io.tables import timestamp_table
from dlclive_io.video import video_times

_TAIL = 1 << 20  # bytes searched for the end of the last complete line
_SECONDS = "captured_at_s"


def recover_poses_csv(part: Path, final: Path) -> RecoveredFile | None:
    """Remove an incomplete last line from a table of poses; None if the file is not one."""
    if not _first_line(part).startswith("scorer,"):
        return None
    torn = remove_torn_line(part)
    with part.open(newline="", encoding="utf-8") as file:
        rows = sum(line.partition(",")[0].isdigit() for line in file)
    return RecoveredFile(path=final, kind="poses", rows=rows, note=_lost(torn))


def recover_times(part: Path, final: Path, frames: Mapping[str, int]) -> RecoveredFile | None:
    """Remove an incomplete last line, and rows whose frame is not in the video; None if it is not a table of timestamps.

    Args:
        frames: number of frames of the videos recovered so far, by name.
    """
    if not is_times(part):
        return None
    torn = remove_torn_line(part)
    has_video = _columns(part) == video_times.COLUMNS
    note = remove_rows(part, frames) if has_video else _lost(torn)
    rows, seconds = 0, None
    with part.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows, seconds = rows + 1, float(row[_SECONDS])
    return RecoveredFile(path=final, kind="times", rows=rows, seconds=seconds, note=note)


def is_times(part: Path) -> bool:
    """Whether the file is a table of timestamps."""
    return _columns(part) in (timestamp_table.COLUMNS, video_times.COLUMNS)


def remove_torn_line(path: Path) -> bool:
    """Remove what follows the last complete line; True if there was something."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, end - _TAIL))
        tail = file.read().split(b"\0")[0]  # a power cut leaves zeros where rows should be
        whole = start + tail.rfind(b"\n") + 1
        if whole < end:
            file.truncate(whole)
        os.fsync(file.fileno())
    return whole < end


def remove_rows(part: Path, frames: Mapping[str, int]) -> str:
    """Keep the rows whose frame is in its video, and all rows of a missing video. Returns a note for the report."""
    counts = dict(frames)
    kept: Counter[str] = Counter()
    left_out = 0
    draft = part.with_name(part.name + ".new")
    try:
        with part.open(newline="", encoding="utf-8") as old, draft.open("w", newline="", encoding="utf-8") as new:
            rows, writer = csv.DictReader(old), csv.DictWriter(new, video_times.COLUMNS, lineterminator="\n")
            writer.writeheader()
            for row in rows:
                name = row["video"]
                if name not in counts:
                    counts[name] = _frames_of(part.with_name(name))
                if counts[name] < 0 or int(row["video_frame"]) < counts[name]:
                    writer.writerow(row)
                    kept[name] += 1
                else:
                    left_out += 1
            new.flush()
            os.fsync(new.fileno())
        draft.replace(part)
    finally:
        draft.unlink(missing_ok=True)
    notes = [f"{left_out} rows removed, whose frames did not reach the video"] if left_out else []
    notes += [f"{counts[name] - kept[name]} frames of {name} have no row" for name in kept if kept[name] < counts[name]]
    return "; ".join(notes)


def _frames_of(video: Path) -> int:
    """Frames of a video completed earlier; -1 if it is gone. Raises DataError if it is still incomplete."""
    if video.with_name(video.name + ".part").exists():
        raise DataError(f"{video}.part could not be completed, and its timestamps depend on it")
    return count_frames(video) if video.exists() else -1


def _columns(path: Path) -> tuple[str, ...]:
    return tuple(_first_line(path).rstrip("\n").split(","))


def _first_line(path: Path) -> str:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        return file.readline(_TAIL)


def _lost(torn: bool) -> str:
    text = "up to 0.2 s before the crash may be lost"
    return f"an incomplete last row was removed; {text}" if torn else text
