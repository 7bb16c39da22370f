"""The size that an ASF file (`.wmv`) declares."""

from __future__ import annotations

from pathlib import Path

_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # of the file
_SIZE_AT = 40  # bytes behind the begin of the properties
_BROADCAST = 1  # a flag: nothing was known when the head was written
_FLAGS_AT = 88
_SEARCHED = 65_536


def is_cut_asf(path: Path) -> bool:
    """Whether the file is shorter than its head says."""
    with path.open("rb") as file:
        head = file.read(_SEARCHED)
    at = head.find(_PROPERTIES)
    if at < 0 or len(head) < at + _FLAGS_AT + 4:
        return False
    size = int.from_bytes(head[at + _SIZE_AT : at + _SIZE_AT + 8], "little")
    is_live = int.from_bytes(head[at + _FLAGS_AT : at + _FLAGS_AT + 4], "little") & _BROADCAST
    return not is_live and path.stat().st_size < size
