"""A second recording behind the first in one file, which the container's reader passes over."""

from __future__ import annotations

import struct
from pathlib import Path

_SIGNATURES = {
    "matroska,webm": b"\x1aE\xdf\xa3",
    "flv": b"FLV\x01",
    "asf": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
}
_SEARCHED = 1 << 20  # bytes behind the last packet: an index may lie there


def second_recording(path: Path, format: str, end: int) -> int | None:
    """Where a recording begins that was joined byte by byte (`cat a.mp4 b.mp4`) and that FFmpeg does not read.

    It reads joined MPEG and AVI to the end, and two Matroska files, but not a third; an MP4 has the list of its frames in
    its head, and FLV and ASF end where they say.

    Args:
        format: FFmpeg's name of the container.
        end: of the last packet read, in bytes.
    """
    if "mp4" in format:
        return _second_mp4(path)
    if format not in _SIGNATURES:
        return None
    with path.open("rb") as file:
        file.seek(end)
        signature_at = file.read(_SEARCHED).find(_SIGNATURES[format])
        return None if signature_at < 0 else end + signature_at


def _second_mp4(path: Path) -> int | None:
    """The second `ftyp` among the boxes, each of which begins with its size and name."""
    size, position, had_head = path.stat().st_size, 0, False
    with path.open("rb") as file:
        while position + 8 <= size:
            file.seek(position)
            length, name = struct.unpack(">I4s", file.read(8))
            if length == 1:  # the size has eight bytes
                length = int.from_bytes(file.read(8), "big")
            if name == b"ftyp" and had_head:
                return position
            had_head |= name in (b"ftyp", b"moov")
            if length < 8:
                return None
            position += length
    return None
