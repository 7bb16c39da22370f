"""Detects missing packets in an MPEG transport stream; FFmpeg does not always report them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_SYNC = 0x47
_SIZES = (188, 192)  # bytes of a packet; `.m2ts` puts a four-byte time before each
_MOST = 16 * 2**20  # bytes searched; two pictures are closer together


def packets_are_missing(path: Path, start: int, end: int) -> bool:
    """Whether packets are damaged or missing between two positions, each the start of a packet of the same stream.

    Each stream numbers its packets cyclically from 0 to 15.
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
        return True  # unread pictures start between the first and the last
    of_stream = packets[(streams == streams[0]) & (packets[:, 3] & 0x10 > 0)]  # the others have no payload
    steps = np.diff(of_stream[:, 3] & 0x0F) % 16
    return bool((steps > 1).any())  # 0: sent twice
