"""What the head and the index of an AVI file say about its pictures."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_CHUNK = struct.Struct("<4sI")
_OLD_ENTRY = struct.Struct("<4sIII")  # idx1: name, flags, offset, size
_SUPER_ENTRY = struct.Struct("<QII")  # indx: where, size, pictures
_INDEX_HEADER = 24  # bytes of `indx` and `ix00` before their entries
_NEW_SIZE = 0x7FFFFFFF  # the highest bit marks pictures that are not key frames
_OPEN = (0, 0xFFFFFFFF)  # sizes of a list that was never closed: it goes on to the end of the file


class AviContent(NamedTuple):
    """What an AVI says, and what it holds. A chunk is a picture, or empty where the previous one is shown again.

    Attributes:
        promised: number of chunks according to the head; 0 if the head was never completed.
        listed: number of chunks in the index or, without a complete index, in the file itself.
        pictures: number of those that are not empty.
        has_index: whether the index is complete, old (`idx1`) or new (OpenDML: `indx`, `ix00`).
        is_whole: whether the file is as long as its parts say.
    """

    promised: int
    listed: int
    pictures: int
    has_index: bool
    is_whole: bool

    @property
    def missing(self) -> int:
        """Number of chunks that the head promises beyond those listed."""
        return max(0, self.promised - self.listed)


class _Head:
    """The facts of the header list about the first video stream."""

    def __init__(self) -> None:
        self.streams = 0
        self.video: int | None = None
        self.in_first_part = self.in_stream = self.in_all_parts = 0
        self.super_index: list[tuple[int, int, int]] = []

    @property
    def promised(self) -> int:
        """The largest number: writers leave a field at zero or at the count of the first part, none says too many."""
        return max(self.in_first_part, self.in_stream, self.in_all_parts, sum(count for *_, count in self.super_index))


def read_avi(path: Path) -> AviContent | None:
    """Read heads and indices, not the pictures; None if the file is not an AVI.

    FFmpeg reads what is there and does not say that a file was cut short, nor which index it used. Files that were joined
    byte by byte are counted together.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        files: list[list[tuple[int, int]]] = []
        for name, start, end in _chunks(file, 0, size):
            if name == b"RIFF" and _kind(file, start) == b"AVI ":
                files.append([(start, end)])
            elif name == b"RIFF" and files:
                files[-1].append((start, end))
        contents = [_read_file(file, parts, size) for parts in files]
    if not contents:
        return None
    return AviContent(
        sum(content.promised for content in contents),
        sum(content.listed for content in contents),
        sum(content.pictures for content in contents),
        all(content.has_index for content in contents),
        all(content.is_whole for content in contents),
    )


def follows(file: BinaryIO, end: int, begin: int) -> bool:
    """Whether the chunk at `begin` follows one that ends at `end`, with nothing but whole chunks or heads of lists between."""
    at = end + end % 2
    while at < begin:
        file.seek(at)
        head = file.read(_CHUNK.size)
        if len(head) < _CHUNK.size:
            return False
        name, length = _CHUNK.unpack(head)
        if not name.isascii():
            return False
        at += 12 if name in (b"RIFF", b"LIST") else _CHUNK.size + length + length % 2
    return at == begin


def _read_file(file: BinaryIO, parts: list[tuple[int, int]], size: int) -> AviContent:
    """What the parts (`RIFF` lists) of one file say. Positions in a new index count from the file's first byte."""
    head, old, is_whole = _Head(), None, True
    movies = []
    for start, end in parts:
        is_whole &= end <= size and not _is_open(file, start)
        for name, at, until in _chunks(file, start + 4, min(end, size)):
            kind = _kind(file, at) if name == b"LIST" else b""
            if kind == b"hdrl" and not head.streams:
                _read_head(file, head, at + 4, min(until, size))
            elif kind == b"movi":
                is_whole &= until <= size and not _is_open(file, at)
                movies.append((at + 4, min(until, size)))
            elif name == b"idx1" and until <= size and old is None:
                old = _old_index(file, at, until, head.video or 0)
    new = _new_index(file, head, parts[0][0] - _CHUNK.size, size)
    # An old index lists the first part only, the new one all of them.
    index = new if head.super_index else old if len(parts) == 1 else None
    if index is not None:
        return AviContent(head.promised, *index, True, is_whole)
    return AviContent(head.promised, *_count(file, movies, size, head.video or 0), False, is_whole)


def _chunks(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and end of the content of each chunk. Chunks begin at even positions; the last may end behind `end`."""
    while start + _CHUNK.size <= end:
        file.seek(start)
        name, length = _CHUNK.unpack(file.read(_CHUNK.size))
        start += _CHUNK.size
        if name in (b"RIFF", b"LIST") and length in _OPEN:
            length = end - start
        yield name, start, start + length
        start += length + length % 2


def _is_open(file: BinaryIO, start: int) -> bool:
    """Whether the list whose content begins here was never closed."""
    file.seek(start - 4)
    return _number(file.read(4), 0) in _OPEN


def _kind(file: BinaryIO, start: int) -> bytes:
    file.seek(start)
    return file.read(4)


def _read_head(file: BinaryIO, head: _Head, start: int, end: int) -> None:
    for name, at, until in _chunks(file, start, end):
        file.seek(at)
        if name == b"avih":
            head.in_first_part = _number(file.read(20), 16)
        elif name == b"LIST" and file.read(4) == b"strl":
            _read_stream(file, head, at + 4, min(until, end))
            head.streams += 1
        elif name == b"LIST" and _kind(file, at) == b"odml":
            for inner, offset, _ in _chunks(file, at + 4, min(until, end)):
                if inner == b"dmlh":
                    file.seek(offset)
                    head.in_all_parts = _number(file.read(4), 0)


def _read_stream(file: BinaryIO, head: _Head, start: int, end: int) -> None:
    for name, at, until in _chunks(file, start, end):
        file.seek(at)
        if name == b"strh" and head.video is None and file.read(4) == b"vids":
            head.video = head.streams
            file.seek(at)
            head.in_stream = _number(file.read(36), 32)
        elif name == b"indx" and head.video == head.streams:
            data = file.read(max(0, min(until, end) - at))
            if len(data) < _INDEX_HEADER or data[3] != 0:  # 0: an index of indices
                continue
            count = min(_number(data, 4), (len(data) - _INDEX_HEADER) // _SUPER_ENTRY.size)
            entries = (_SUPER_ENTRY.unpack_from(data, _INDEX_HEADER + n * _SUPER_ENTRY.size) for n in range(count))
            head.super_index = [entry for entry in entries if entry[0]]


def _old_index(file: BinaryIO, start: int, end: int, stream: int) -> tuple[int, int]:
    """Number of chunks of the stream, and of those that are not empty."""
    file.seek(start)
    data = file.read((end - start) // _OLD_ENTRY.size * _OLD_ENTRY.size)
    sizes = [size for name, _, _, size in _OLD_ENTRY.iter_unpack(data) if _is_picture(name, stream)]
    return len(sizes), sum(size > 0 for size in sizes)


def _new_index(file: BinaryIO, head: _Head, origin: int, size: int) -> tuple[int, int] | None:
    """The same from the new index; None if a part of it is not in the file."""
    listed = pictures = 0
    for position, _, _ in head.super_index:
        at = origin + position
        file.seek(at)
        data = file.read(_CHUNK.size + _INDEX_HEADER)
        if len(data) < _CHUNK.size + _INDEX_HEADER or data[:2] != b"ix":
            return None
        width = 4 * int.from_bytes(data[8:10], "little")  # bytes of an entry: one of two fields has three numbers
        count = _number(data, _CHUNK.size + 4)
        if width < 8 or at + len(data) + count * width > size:
            return None
        entries = file.read(count * width)
        listed += count
        pictures += sum(_number(entries, offset + 4) & _NEW_SIZE > 0 for offset in range(0, len(entries), width))
    return listed, pictures


def _count(file: BinaryIO, movies: list[tuple[int, int]], size: int, stream: int) -> tuple[int, int]:
    """The same from the chunks themselves; an incomplete last one does not count."""
    listed = pictures = 0
    for start, end in movies:
        for name, at, until in _pictures(file, start, end):
            if _is_picture(name, stream) and until <= size:
                listed += 1
                pictures += until > at
    return listed, pictures


def _pictures(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a `movi` list, also of the `rec ` lists in it."""
    for name, at, until in _chunks(file, start, end):
        if name == b"LIST" and _kind(file, at) == b"rec ":
            yield from _chunks(file, at + 4, min(until, end))
        else:
            yield name, at, until


def _is_picture(name: bytes, stream: int) -> bool:
    return name[:2] == b"%02d" % stream and name[2:] in (b"dc", b"db")


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
