"""Image files that hold several pictures: where the pages of a TIFF lie, and which files are animations.

OpenCV decodes the first picture of such files and does not say that there are more.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from dlclive_core import DataError

BROKEN = -1
"""Instead of the position of a page that is not in the file."""

_MARKS = {b"II*\0": ("<", False), b"MM\0*": (">", False), b"II+\0": ("<", True), b"MM\0+": (">", True)}
_KIND, _DESCRIPTION = 254, 270  # tags
_NOT_A_PICTURE = 1 | 4  # a smaller copy of another page, a mask
_MOST_DESCRIPTION = 65_536
_SEARCHED = 1 << 20  # bytes in which an animation says what it is


class _Layout(NamedTuple):
    """Of a TIFF: byte order, and sizes, which are larger in a BigTIFF."""

    order: str
    is_big: bool

    @property
    def first(self) -> int:
        """Where the position of the first page stands."""
        return 8 if self.is_big else 4

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.is_big else "I")

    @property
    def length(self) -> str:
        return self.order + ("Q" if self.is_big else "H")

    @property
    def entry(self) -> str:
        return self.order + ("HHQ8s" if self.is_big else "HHI4s")


class Page(NamedTuple):
    """A page of a TIFF: its number among all pages, previews included, and its position in bytes or `BROKEN`."""

    number: int
    position: int


def pages(path: Path) -> list[Page]:
    """The pages of a TIFF, without previews and masks; empty for another file, or one with a single picture.

    The last is `BROKEN` if the list of pages is cut short.

    Raises:
        DataError: a file whose pictures cannot all be read.
    """
    try:
        with path.open("rb") as file:
            mark = file.read(4)
            if mark in _MARKS:
                return _tiff_pages(path, file, _Layout(*_MARKS[mark]))
            file.seek(0)
            kind = _animation(file.read(_SEARCHED))
    except OSError:
        return []  # counted as damaged when it is decoded
    if kind:
        raise DataError(
            f"{path} is an animated {kind} with several pictures: convert it to a video or to single images"
        )
    return []


def first_page_at(path: Path, position: int) -> tuple[int, bytes]:
    """Where in a TIFF's head the position of its first page stands, and what to write there to read another one first."""
    with path.open("rb") as file:
        layout = _Layout(*_MARKS[file.read(4)])
    return layout.first, struct.pack(layout.offset, position)


def _tiff_pages(path: Path, file: BinaryIO, layout: _Layout) -> list[Page]:
    found: list[Page] = []
    seen: set[int] = set()
    file.seek(layout.first)
    description = b""
    try:
        (position,) = _read(file, layout.offset)
        while position and position not in seen:
            page = Page(len(seen), position)
            seen.add(position)
            kind, text = _page(file, layout, position)
            description = description or text
            if not kind & _NOT_A_PICTURE:
                found.append(page)
            (position,) = _read(file, layout.offset)
    except (struct.error, OverflowError):
        found.append(Page(len(seen), BROKEN))
    declared = re.search(rb"^images=(\d+)", description, re.MULTILINE) if description.startswith(b"ImageJ=") else None
    if declared and int(declared[1]) > len(found):
        raise DataError(
            f"{path} holds {int(declared[1])} images but lists {len(found)}, as ImageJ does for large stacks: "
            "save it as a video or as single images"
        )
    return found if len(found) > 1 else []


def _page(file: BinaryIO, layout: _Layout, position: int) -> tuple[int, bytes]:
    """Kind and description of a page; the file is then before the position of the next one."""
    file.seek(position)
    (count,) = _read(file, layout.length)
    size = struct.calcsize(layout.entry)
    entries = file.read(count * size)
    after = file.tell()
    kind, text = 0, b""
    for tag, _, length, value in struct.iter_unpack(layout.entry, entries):
        if tag == _KIND:
            kind = struct.unpack(layout.order + "I", value[:4])[0]
        elif tag == _DESCRIPTION and length > len(value):
            file.seek(struct.unpack(layout.offset, value)[0])
            text = file.read(min(length, _MOST_DESCRIPTION))
    file.seek(after)
    return kind, text


def _read(file: BinaryIO, format: str) -> tuple[int, ...]:
    return struct.unpack(format, file.read(struct.calcsize(format)))


def _animation(head: bytes) -> str:
    """The format of an animation, from the beginning of the file; empty for a single picture."""
    if head.startswith(b"\x89PNG") and (at := head.find(b"acTL", 0, max(0, head.find(b"IDAT")))) > 0:
        return "PNG" if int.from_bytes(head[at + 4 : at + 8], "big") > 1 else ""
    if head.startswith(b"RIFF") and head[8:16] == b"WEBPVP8X":
        return "WebP" if head[20] & 2 else ""
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF" if _gif_pictures(head) > 1 else ""
    return ""


def _gif_pictures(data: bytes) -> int:
    """Number of pictures, up to two, in the beginning of a GIF."""
    at = 13 + _palette(data[10])
    pictures = 0
    try:
        while pictures < 2 and data[at] != 0x3B:
            if data[at] == 0x2C:  # a picture
                pictures += 1
                at += 10 + _palette(data[at + 9]) + 1
            else:  # an extension
                at += 2
            while data[at]:  # blocks, each with its size
                at += data[at] + 1
            at += 1
    except IndexError:
        return pictures
    return pictures


def _palette(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
