"""The blocks of a record one after the other, and the next whole one behind a damaged place."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import IO

from dlclive_io.replay.record_format import BLOCK, LONGEST_FRAME

_LENGTH = struct.Struct("<I")
# Bounds of the searches, because a stranger's file may pretend a block at every byte.
_WINDOW = 256 << 10  # bytes behind a damaged place that are looked through
_SEARCHES = 100
_CHECKED = 64 << 20  # bytes whose checksum is computed in all searches of a file


@dataclass(frozen=True, slots=True)
class Block:
    """What stands at a place of a record.

    Attributes:
        content: None if it is not all there, or its length cannot be right.
        end: where it ends, by its length; None without content.
        is_whole: whether the checksum is that of the content.
        length, checksum: as they are written; 0 if not even these are there.
    """

    content: bytes | None = None
    end: int | None = None
    is_whole: bool = False
    length: int = 0
    checksum: int = 0


class BlockFile:
    """An open file of blocks.

    Attributes:
        size: of the file, in bytes.
        largest: length of the largest whole block so far; a block is not much larger than the others.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        self.largest = 0
        self._searches, self._budget = _SEARCHES, _CHECKED

    def at(self, place: int) -> Block:
        """The block that begins there."""
        head = self._read(place, BLOCK.size)
        if len(head) < BLOCK.size:
            return Block()
        length, checksum = BLOCK.unpack(head)
        begin = place + BLOCK.size
        if length > LONGEST_FRAME or begin + length > self.size:
            return Block(length=length, checksum=checksum)
        content = self._read(begin, length)
        is_whole = length > 0 and zlib.crc32(content) == checksum  # zeros look like an empty block
        if is_whole:
            self.largest = max(self.largest, length)
        return Block(content, begin + length, is_whole, length, checksum)

    def between(self, place: int, end: int, checksum: int) -> bytes | None:
        """The content of a block whose length is wrong, if it is the one that its checksum is of."""
        size = end - place - BLOCK.size
        if not 0 < size <= LONGEST_FRAME:
            return None
        content = self._read(place + BLOCK.size, size)
        return content if zlib.crc32(content) == checksum else None

    def is_torn(self, place: int) -> bool:
        """Whether the file ends in the middle of the block that begins there, as a killed run leaves it."""
        block, rest = self.at(place), self.size - place
        return rest < BLOCK.size or (block.content is None and block.length <= self._most())

    def next_whole(self, place: int, likely: int | None) -> int | None:
        """Where the next whole block behind a damaged place begins, as far as it can be found; `likely` is tried first."""
        if likely is not None and self.at(likely).is_whole:
            return likely
        if not self._searches:
            return None
        self._searches -= 1
        window = self._read(place, _WINDOW)
        most = self._most()
        for offset in range(1, len(window) - BLOCK.size + 1):
            (length,) = _LENGTH.unpack_from(window, offset)
            if 0 < length <= most and place + offset + BLOCK.size + length <= self.size:
                self._budget -= length
                if self._budget < 0:
                    return None
                if self.at(place + offset).is_whole:
                    return place + offset
        return None

    def _most(self) -> int:
        return min(LONGEST_FRAME, 2 * max(self.largest, 1024))

    def _read(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)
