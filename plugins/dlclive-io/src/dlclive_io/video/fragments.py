"""Fragments missing from a fragmented MP4, which FFmpeg passes over in silence."""

from __future__ import annotations

from pathlib import Path

_MOST = 64 * 2**20  # bytes looked at


def fragment_is_missing(path: Path, start: int, end: int) -> bool:
    """Whether a fragment lies between the end of one picture and the begin of the next.

    Between two fragments lies the head of the second, which ends with the name of the box of its pictures: `mdat`. More
    than one `mdat` is a fragment whose head was not understood.
    """
    with path.open("rb") as file:
        file.seek(start)
        return file.read(min(end - start, _MOST)).count(b"mdat") > 1
