"""Finds missing packets in the middle of an AVI without an index."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from av.error import FFmpegError

from dlclive_io.video.avi import follows
from dlclive_io.video.open_video import open_video

CHUNK_HEADER = 8
"""Bytes between the position of a chunk in an index and that of its packet."""


class AviHole(NamedTuple):
    """The region of a file with missing packets; between two gaps, frame numbers are unknown.

    Attributes:
        first: number of packets before the region.
        behind: number of packets before the first one after the region.
        lost: number of frames without a number.
    """

    first: int
    behind: int
    lost: int


def find_hole(path: Path, stream: int, expected: int) -> AviHole | None:
    """Read an AVI without an index to its end, without decoding; a gap is a place where chunks do not follow one another."""
    holes: list[int] = []
    count, end = 0, None
    with open_video(path) as container, path.open("rb") as file, suppress(FFmpegError, OSError):
        for packet in container.demux():
            if not packet.size or packet.pos is None:
                continue
            if end is not None and not follows(file, end, packet.pos - CHUNK_HEADER):
                holes.append(count)
            end = packet.pos + packet.size
            count += packet.stream_index == stream
    if not holes or count >= expected:
        return None
    return AviHole(holes[0], holes[-1], expected - count + holes[-1] - holes[0])
