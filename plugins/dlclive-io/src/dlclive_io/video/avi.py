"""Whether an AVI file was finished."""

from __future__ import annotations

import struct
from pathlib import Path


def has_index(path: Path) -> bool:
    """Whether the file's list of frames (`idx1`) is there as a whole; a file that was cut or not closed has none.

    An AVI is a row of chunks, each with a name of four letters and its size (little-endian), padded to an even length.
    FFmpeg reads files without the index too and makes one up while reading, so it cannot be asked.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        position = 12  # behind "RIFF", the size and "AVI "
        while position + 8 <= size:
            file.seek(position)
            name, length = struct.unpack("<4sI", file.read(8))
            position += 8 + length + length % 2
            if name == b"idx1":
                return bool(position - length % 2 <= size)
    return False
