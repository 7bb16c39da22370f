"""The index of an AVI file."""

from __future__ import annotations

import struct
from pathlib import Path


def has_index(path: Path) -> bool:
    """Whether the file has a complete index (`idx1`); a truncated or unclosed file has none.

    An AVI is a sequence of chunks, each with a four-letter name and its size (little-endian), padded to an even length.
    FFmpeg cannot tell: it also reads files without an index and builds one while reading.
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
