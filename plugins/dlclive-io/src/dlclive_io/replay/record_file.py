"""Reads a replay record; one that ends in the middle of a frame, as a killed run leaves it, up to there."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dlclive_core import DataError, RecordedFrame, RecordedRun
from dlclive_io.output_file import reason
from dlclive_io.replay.record_format import BLOCK, LONGEST_FRAME, LONGEST_HEADER, MAGIC, read_frame, read_header


class RecordFile(RecordedRun):
    """A file of the sink `replay`.

    Attributes:
        run: as it was recorded.
        damaged: frames left out by the last `frames`.
        torn: bytes of an incomplete last frame, as found by the last `frames`.
        lost: bytes behind a damaged place, in which no frame can be found.

    Raises:
        DataError, ModelError: the file is no replay record, its header is damaged, or a newer version wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.damaged = self.torn = self.lost = 0
        with _errors_named(path), path.open("rb") as file:
            header = self._header(file)
            self._first = file.tell()
        self.run = read_header(header, str(path))

    @property
    def damage(self) -> str:
        """What the last `frames` could not read."""
        left_out = f"{self.damaged} damaged frames are left out" if self.damaged else ""
        torn = "it ends in the middle of a frame" if self.torn else ""
        lost = f"its last {self.lost} bytes cannot be read" if self.lost else ""
        text = "; ".join(filter(None, (left_out, torn, lost)))
        return f"{self._path.name}: {text}" if text else ""

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the whole frames. One whose checksum is wrong is left out; where the next one is wrong too, nothing more can be
        found.
        """
        self.damaged = self.torn = self.lost = 0
        skeleton, source = self.run.card.skeleton, self.run.source
        with _errors_named(self._path), self._path.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            at = sound = file.seek(self._first)
            in_row = largest = 0
            while in_row < 2:
                try:
                    content = _block(file, LONGEST_FRAME)
                    if content is None:
                        break
                    recorded = read_frame(content, skeleton, source)
                except ValueError:
                    self.damaged += 1
                    in_row += 1
                else:
                    in_row, sound, largest = 0, file.tell(), max(largest, len(content))
                    yield recorded
                at = file.tell()
            rest = length - (at if in_row < 2 else sound)
            if in_row < 2 and rest < BLOCK.size + 2 * max(largest, 1024):  # a frame is not much larger than the others
                self.torn = rest
            else:
                self.lost = rest

    def _header(self, file: IO[bytes]) -> bytes:
        if file.read(len(MAGIC)) != MAGIC:
            raise DataError(f"{self._path} is not a replay record")
        with suppress(ValueError):
            if (content := _block(file, LONGEST_HEADER)) is not None:
                return content
        raise DataError(f"the header of {self._path} is damaged: nothing in it can be read")


def _block(file: IO[bytes], most: int) -> bytes | None:
    """The content of the next block; None if no whole one follows. Raises ValueError if its checksum is wrong."""
    head = file.read(BLOCK.size)
    if len(head) < BLOCK.size:
        return None
    length, checksum = BLOCK.unpack(head)
    if length > most:
        return None
    content = file.read(length)
    if len(content) < length:
        return None
    if zlib.crc32(content) != checksum:
        raise ValueError("damaged")
    return content


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from None
