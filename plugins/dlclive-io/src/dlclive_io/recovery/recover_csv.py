"""Recovery of CSV tables: all lines are complete, except perhaps the last, or where a disk has damaged them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlclive_core import DataError, RecoveredFile
from dlclive_io.recovery.csv_rows import (
    CheckedRows,
    Row,
    check_rows,
    header_rows,
    is_float,
    remove_rows,
    remove_torn_line,
)
from dlclive_io.recovery.recover_video import count_frames
from dlclive_io.tables import anipose_table, timestamp_table
from dlclive_io.video import video_times

_SECONDS = "captured_at_s"
_LEVELS = ("scorer", "individuals", "bodyparts", "coords", anipose_table.FRAME)


def recover_poses_csv(part: Path, final: Path) -> RecoveredFile | None:
    """Remove an incomplete last line and damaged rows from a table of poses; None if the file is not one."""
    if not any(row and row[0] in _LEVELS for row in header_rows(part)):
        return None
    torn = remove_torn_line(part)
    frames = 0

    def keeps(row: Sequence[str]) -> bool:
        nonlocal frames
        frames += any(cell not in ("", "NaN") for cell in row[1:])  # the others are rows of frames without a pose
        return True

    rows = check_rows(part, is_number=lambda row: all(map(is_float, row[1:])), keeps=keeps)
    remove_rows(part, rows.dropped)
    return RecoveredFile(path=final, kind="poses", rows=frames, note=_note(_lost(torn), _damage(rows)))


def recover_times(part: Path, final: Path, frames: Mapping[str, int]) -> RecoveredFile | None:
    """Remove an incomplete last line, damaged rows, and rows whose frame is not in the video.

    Returns None if the file is not a table of timestamps.

    Args:
        frames: number of frames of the videos recovered so far, by name.
    """
    columns = _columns(part)
    if columns is None:
        return None
    torn = remove_torn_line(part)
    videos = _VideoRows(part, frames) if columns == video_times.COLUMNS else None
    rows = _keep_rows(part, columns, videos)
    seconds_at = columns.index(_SECONDS)
    return RecoveredFile(
        path=final,
        kind="times",
        rows=rows.count,
        seconds=float(rows.last[seconds_at]) if rows.last else None,
        note=_note(_lost(torn) if videos is None else videos.note(), _damage(rows)),
    )


def keep_rows_of_videos(part: Path, frames: Mapping[str, int]) -> str:
    """Keep the rows of a table whose frame is in its video, and all rows of a missing video. Returns a note for the report."""
    videos = _VideoRows(part, frames)
    _keep_rows(part, video_times.COLUMNS, videos)
    return videos.note()


def _keep_rows(part: Path, columns: Sequence[str], videos: _VideoRows | None) -> CheckedRows:
    seconds_at = columns.index(_SECONDS)
    checked = check_rows(
        part,
        is_number=lambda row: row[seconds_at] != "" and is_float(row[seconds_at]),
        keeps=lambda row: videos is None or videos.keeps(row),
    )
    remove_rows(part, checked.dropped)
    return checked


def is_times(part: Path) -> bool:
    """Whether the file is a table of timestamps."""
    return _columns(part) is not None


class _VideoRows:
    """Keeps the rows whose frame is in its video, and all rows of a missing video."""

    def __init__(self, part: Path, frames: Mapping[str, int]) -> None:
        self._part = part
        self._counts = dict(frames)
        self._kept: Counter[str] = Counter()
        self._left_out = 0
        self._video, self._frame = (video_times.COLUMNS.index(name) for name in ("video", "video_frame"))

    def keeps(self, row: Row) -> bool:
        """Whether to keep a row. Raises DataError if its video is still incomplete."""
        name, frame = row[self._video], row[self._frame]
        if name not in self._counts:
            self._counts[name] = _frames_of(self._part, name)
        if self._counts[name] >= 0 and not (frame.isdecimal() and int(frame) < self._counts[name]):
            self._left_out += 1
            return False
        self._kept[name] += 1
        return True

    def note(self) -> str:
        """What was removed, and what is missing."""
        missing = {name: self._counts[name] - kept for name, kept in self._kept.items()}
        return _note(
            f"{self._left_out} rows removed, whose frames did not reach the video" if self._left_out else "",
            *(f"{count} frames of {name} have no row" for name, count in missing.items() if count > 0),
        )


def _frames_of(part: Path, name: str) -> int:
    """Frames of a video completed earlier; -1 if it is gone. Raises DataError if it is still incomplete."""
    video = part.parent / name
    if Path(name).name != name:  # a damaged name leads nowhere, and out of the folder least of all
        return -1
    if video.with_name(video.name + ".part").exists():
        raise DataError(f"{video}.part could not be completed, and its timestamps depend on it")
    return count_frames(video) if video.exists() else -1


def _columns(path: Path) -> tuple[str, ...] | None:
    """The columns of a table of timestamps, of which one may be damaged; None if the file is not one."""
    header = next(iter(header_rows(path)), [])
    for columns in (timestamp_table.COLUMNS, video_times.COLUMNS):
        same = sum(cell == name for cell, name in zip(header, columns, strict=False))
        if len(header) == len(columns) and same >= len(columns) - 1:
            return columns
    return None


def _lost(torn: bool) -> str:
    text = "up to 0.2 s before the crash may be lost"
    return f"an incomplete last row was removed; {text}" if torn else text


def _damage(found: CheckedRows) -> str:
    return f"{found.damaged} damaged rows removed" if found.damaged else ""


def _note(*parts: str) -> str:
    return "; ".join(filter(None, parts))
