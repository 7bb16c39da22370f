"""Detects missing fragments of an MP4, which FFmpeg skips silently."""

from __future__ import annotations

from pathlib import Path

_MOST = 64 * 2**20  # bytes searched


def fragment_is_missing(path: Path, start: int, end: int) -> bool:
    """Whether an unread fragment lies between the end of one picture and the start of the next.

    Between two fragments lies the header of the second, which ends with the name of its picture box, `mdat`. A second `mdat`
    belongs to a fragment whose header FFmpeg could not read.
    """
    with path.open("rb") as file:
        file.seek(start)
        return file.read(min(end - start, _MOST)).count(b"mdat") > 1
