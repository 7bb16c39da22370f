"""Where packets are missing from the middle of an AVI that has no index."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from av.error import FFmpegError

from dlclive_io.video.avi import follows
from dlclive_io.video.open_video import open_video

CHUNK_HEADER = 8
"""Bytes between the position of a chunk, as in an index, and that of its packet."""


class AviHole(NamedTuple):
    """Where the packets are that are missing from the middle of a file; between two such places nothing is known.

    Attributes:
        first: number of packets before it.
        behind: number of packets before the first one whose number is known again.
        lost: number of frames without a number.
    """

    first: int
    behind: int
    lost: int


def find_hole(path: Path, stream: int, expected: int) -> AviHole | None:
    """Read an AVI without index to its end, without decoding: chunks follow one another, and their number is known."""
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
