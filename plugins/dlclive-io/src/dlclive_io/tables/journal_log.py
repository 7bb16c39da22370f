"""The write-ahead log of a journal: a damaged byte in it costs its page, not everything behind it.

SQLite reads the log up to the first frame whose checksum is wrong, and then discards the rest. Each checksum builds on the
one before, so that a whole frame behind a damaged one can be told from the remains of an earlier log: "WAL-mode File
Format" in SQLite's documentation has the layout.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from dlclive_core import write_whole

_HEADER = struct.Struct(">8I")  # magic number, version, page size, checkpoint, two salts, two checksums
_FRAME = struct.Struct(">6I")  # page, pages after a commit, two salts, two checksums
_MAGIC = 0x377F0682  # checksums over little-endian words; one more: big-endian
_VERSION = 3007000
_PAGE = 4096  # SQLite's default

Checksum = tuple[int, int]


@dataclass(slots=True)
class _Frame:
    page: int
    commit: int
    salts: tuple[int, int]
    stored: Checksum
    content: bytes

    def checksum(self, before: Checksum, byte_order: str) -> Checksum:
        return _checksum(struct.pack(">2I", self.page, self.commit) + self.content, before, byte_order)


def mend_log(path: Path, kept: Path) -> bool:
    """Write correct checksums into a log if frames behind a damaged one are whole. Returns whether it did.

    The original is kept under the name `kept`. A log that merely ends in an incomplete frame, as a killed process leaves
    it, is not touched. Raises OSError, DataError.
    """
    data = path.read_bytes() if path.exists() else b""
    if len(data) < _HEADER.size + _FRAME.size + _PAGE:
        return False
    magic, version, page_size, checkpoint, *rest = _HEADER.unpack_from(data)
    salts, start = (rest[0], rest[1]), (rest[2], rest[3])
    byte_order = ">" if magic == _MAGIC + 1 else "<"
    is_whole = version == _VERSION and _checksum(data[:24], (0, 0), byte_order) == start
    if not is_whole:  # the first frame says which salts were in the header
        page_size, salts = _PAGE, _FRAME.unpack_from(data, _HEADER.size)[2:4]
    frames = _frames(data, page_size)
    stored = [start, *(frame.stored for frame in frames)]
    is_good = [
        frame.salts == salts and frame.checksum(before, byte_order) == frame.stored
        for frame, before in zip(frames, stored, strict=False)
    ]
    last = max((number for number, frame_is_good in enumerate(is_good) if frame_is_good), default=-1)
    if last < 0 or (is_whole and all(is_good[: last + 1])):
        return False
    sound = [frame for frame, frame_is_good in zip(frames, is_good, strict=True) if frame_is_good]
    header = struct.pack(">6I", _MAGIC + (byte_order == ">"), _VERSION, page_size, checkpoint, *salts)
    before = _checksum(header, (0, 0), byte_order)
    mended = [header, struct.pack(">2I", *before)]
    for number, frame in enumerate(frames[: last + 1]):
        if not is_good[number]:
            _mend_frame(frame, stored[number], sound, byte_order)
        if frame.page:
            before = frame.checksum(before, byte_order)
            mended += [_FRAME.pack(frame.page, frame.commit, *salts, *before), frame.content]
    write_whole(kept, data)
    write_whole(path, b"".join(mended))
    return True


def _mend_frame(frame: _Frame, before: Checksum, sound: list[_Frame], byte_order: str) -> None:
    """Find the page that a damaged frame belongs to, where its header is what is damaged; page 0 if that is not possible.

    What is damaged in the page itself, is found row by row: see `JournalContent`.
    """
    sound_pages = {other.page for other in sound}
    pages = sorted(sound_pages | {page + 1 for page in sound_pages} | {page - 1 for page in sound_pages if page > 1})
    commits = sorted({0} | {other.commit for other in sound})
    original = (frame.page, frame.commit)
    guesses = [*((page, frame.commit) for page in pages), *((frame.page, commit) for commit in commits)]
    for frame.page, frame.commit in guesses:
        if frame.checksum(before, byte_order) == frame.stored:
            return
    frame.page, frame.commit = original
    if frame.page not in pages or frame.commit not in commits:
        frame.page = 0


def _frames(data: bytes, page_size: int) -> list[_Frame]:
    frames = []
    length = _FRAME.size + page_size
    for at in range(_HEADER.size, len(data) - length + 1, length):
        page, commit, *rest = _FRAME.unpack_from(data, at)
        content = data[at + _FRAME.size : at + length]
        frames.append(_Frame(page, commit, (rest[0], rest[1]), (rest[2], rest[3]), content))
    return frames


def _checksum(data: bytes, before: Checksum, byte_order: str) -> Checksum:
    first, second = before
    for even, odd in struct.iter_unpack(f"{byte_order}2I", data):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
