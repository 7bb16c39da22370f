"""Tables of text that were not finished: all lines are right but perhaps the last."""

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

_TAIL = 1 << 20  # bytes in which the end of the last whole line is looked for
_SECONDS = "captured_at_s"


def recover_poses_csv(part: Path, final: Path) -> RecoveredFile | None:
    """Cut a torn last line off a table of poses; None if the file is not one."""
    if not _first_line(part).startswith("scorer,"):
        return None
    torn = cut_torn_line(part)
    with part.open(newline="", encoding="utf-8") as file:
        rows = sum(line.partition(",")[0].isdigit() for line in file)
    return RecoveredFile(path=final, kind="poses", rows=rows, note=_lost(torn))


def recover_times(part: Path, final: Path, frames: Mapping[str, int]) -> RecoveredFile | None:
    """Cut a torn last line off a table of times, and rows whose frame is not in the video; None if it is not one.

    Args:
        frames: how many frames the videos have that were looked at already, by name.
    """
    if not is_times(part):
        return None
    torn = cut_torn_line(part)
    has_video = _columns(part) == video_times.COLUMNS
    note = _cut_rows(part, frames) if has_video else _lost(torn)
    rows, seconds = 0, None
    with part.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows, seconds = rows + 1, float(row[_SECONDS])
    return RecoveredFile(path=final, kind="times", rows=rows, seconds=seconds, note=note)


def is_times(part: Path) -> bool:
    """Whether a table is one of times."""
    return _columns(part) in (timestamp_table.COLUMNS, video_times.COLUMNS)


def cut_torn_line(path: Path) -> bool:
    """Cut off what is behind the last whole line; True if there was something."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, end - _TAIL))
        tail = file.read().split(b"\0")[0]  # a power cut leaves zeros where rows should be
        whole = start + tail.rfind(b"\n") + 1
        if whole < end:
            file.truncate(whole)
        os.fsync(file.fileno())
    return whole < end


def _cut_rows(part: Path, frames: Mapping[str, int]) -> str:
    """Keep the rows whose frame is in its video; of a video that is not there, all. Returns what there is to say."""
    counts = dict(frames)
    kept: Counter[str] = Counter()
    left_out = 0
    draft = part.with_name(part.name + ".new")
    try:
        with part.open(newline="", encoding="utf-8") as old, draft.open("w", newline="", encoding="utf-8") as new:
            rows, keep = csv.DictReader(old), csv.DictWriter(new, video_times.COLUMNS, lineterminator="\n")
            keep.writeheader()
            for row in rows:
                name = row["video"]
                if name not in counts:
                    counts[name] = _frames_of(part.with_name(name))
                if counts[name] < 0 or int(row["video_frame"]) < counts[name]:
                    keep.writerow(row)
                    kept[name] += 1
                else:
                    left_out += 1
            new.flush()
            os.fsync(new.fileno())
        draft.replace(part)
    finally:
        draft.unlink(missing_ok=True)
    notes = [f"{left_out} rows left out, whose frames did not reach the video"] if left_out else []
    notes += [f"{counts[name] - kept[name]} frames of {name} have no row" for name in kept if kept[name] < counts[name]]
    return "; ".join(notes)


def _frames_of(video: Path) -> int:
    """Frames of a video that an earlier recovery finished; -1 if it is gone. DataError if it was not finished, yet."""
    if video.with_name(video.name + ".part").exists():
        raise DataError(f"{video}.part could not be finished, and its times wait for it")
    return count_frames(video) if video.exists() else -1


def _columns(path: Path) -> tuple[str, ...]:
    return tuple(_first_line(path).rstrip("\n").split(","))


def _first_line(path: Path) -> str:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        return file.readline(_TAIL)


def _lost(torn: bool) -> str:
    text = "what came in the last 0.2 s before the crash may be lost"
    return f"a torn last row was left out; {text}" if torn else text
