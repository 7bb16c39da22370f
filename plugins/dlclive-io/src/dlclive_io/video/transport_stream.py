"""Packets missing in an MPEG transport stream, which FFmpeg does not always report."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_SYNC = 0x47
_SIZES = (188, 192)  # bytes of a packet; `.m2ts` puts a time of four bytes before each
_MOST = 16 * 2**20  # bytes looked at; between two pictures there are fewer


def packets_are_missing(path: Path, start: int, end: int) -> bool:
    """Whether packets are damaged or missing between two places, both the begin of a packet of the same stream.

    The packets of each stream are numbered from 0 to 15 over and over.
    """
    with path.open("rb") as file:
        file.seek(start)
        data = np.frombuffer(file.read(min(end - start, _MOST) + _SIZES[-1]), np.uint8)
    size = next((size for size in _SIZES if len(data) > size and data[0] == data[size] == _SYNC), None)
    if size is None or (end - start < _MOST and (end - start) % size):
        return True
    packets = data[: len(data) // size * size].reshape(-1, size)[: (end - start) // size + 1].astype(np.int64)
    if (packets[:, 0] != _SYNC).any():
        return True
    streams = (packets[:, 1] & 0x1F) << 8 | packets[:, 2]
    if (packets[(streams == streams[0]) & (packets[:, 1] & 0x40 > 0)]).shape[0] > 2:
        return True  # begins of pictures that were not read, between the first and the last
    of_stream = packets[(streams == streams[0]) & (packets[:, 3] & 0x10 > 0)]  # the others hold no content
    steps = np.diff(of_stream[:, 3] & 0x0F) % 16
    return bool((steps > 1).any())  # 0: sent twice
