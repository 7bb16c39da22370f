"""Reads a replay record; one that ends in the middle of a frame, as a killed run leaves it, up to there."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dlclive_core import DataError, RecordedFrame, RecordedRun
from dlclive_io.output_file import reason
from dlclive_io.replay.block_file import BlockFile
from dlclive_io.replay.record_format import BLOCK, LONGEST_HEADER, MAGIC, read_frame, read_header


class RecordFile(RecordedRun):
    """A file of the sink `replay`.

    Attributes:
        run: as it was recorded.
        damaged: frames left out by the last `frames`.
        mended: frames whose length was wrong, and their content right.
        torn: bytes of an incomplete last frame, as found by the last `frames`.
        lost: bytes behind a damaged place, in which no frame can be found.

    Raises:
        DataError, ModelError: the file is no replay record, its header is damaged, or a newer version wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.damaged = self.mended = self.torn = self.lost = 0
        with _errors_named(path), path.open("rb") as file:
            header = self._header(file)
            self._first = file.tell()
        self.run = read_header(header, str(path))

    @property
    def damage(self) -> str:
        """What the last `frames` could not read."""
        left_out = f"{self.damaged} damaged frames are left out" if self.damaged else ""
        mended = f"the length of {self.mended} frames was damaged, and they are whole" if self.mended else ""
        torn = "it ends in the middle of a frame" if self.torn else ""
        lost = f"its last {self.lost} bytes cannot be read" if self.lost else ""
        text = "; ".join(filter(None, (left_out, mended, torn, lost)))
        return f"{self._path.name}: {text}" if text else ""

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the whole frames. A damaged one is left out; one of which only the length is wrong is read all the same."""
        self.damaged = self.mended = self.torn = self.lost = 0
        skeleton, source = self.run.card.skeleton, self.run.source
        with _errors_named(self._path), self._path.open("rb") as file:
            for content in self._contents(BlockFile(file)):
                try:
                    recorded = read_frame(content, skeleton, source)
                except ValueError:
                    self.damaged += 1
                else:
                    yield recorded

    def _contents(self, blocks: BlockFile) -> Iterator[bytes]:
        """The contents of the whole blocks; counts the others, and what is behind the last one that can be found."""
        at = self._first
        while at < blocks.size:
            block = blocks.at(at)
            if block.is_whole and block.content is not None and block.end is not None:
                yield block.content
                at = block.end
                continue
            following = blocks.next_whole(at, block.end)
            content = blocks.between(at, blocks.size if following is None else following, block.checksum)
            if content is not None:
                self.mended += 1
                yield content
            elif following is None and block.end is None:
                self.torn, self.lost = (blocks.size - at, 0) if blocks.is_torn(at) else (0, blocks.size - at)
            elif following is None and block.end != blocks.size and not blocks.is_torn(block.end or 0):
                self.lost = blocks.size - at
            else:
                self.damaged += 1
                following = block.end if following is None else following
            at = blocks.size if following is None or self.lost else following

    def _header(self, file: IO[bytes]) -> bytes:
        if file.read(len(MAGIC)) != MAGIC:
            raise DataError(f"{self._path} is not a replay record")
        with suppress(struct.error):
            length, checksum = BLOCK.unpack(file.read(BLOCK.size))
            if (
                length <= LONGEST_HEADER
                and zlib.crc32(content := file.read(length)) == checksum
                and len(content) == length
            ):
                return content
        raise DataError(f"the header of {self._path} is damaged: nothing in it can be read")


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from None
