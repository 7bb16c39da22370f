"""From the bytes of a text file to its text, whichever program and system wrote it."""

from __future__ import annotations

import codecs
import locale
import logging
from pathlib import Path

_log = logging.getLogger(__name__)

LARGEST = 4 * 1024 * 1024
"""Bytes of the largest file that is read. A configuration has some ten thousand."""

WESTERN = "cp1252"
"""The encoding of Windows in Western Europe and America, in which DeepLabCut writes there."""

_MARKS = (  # the mark of UTF-16 LE is the beginning of that of UTF-32 LE
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class TextError(ValueError):
    """Text that cannot be read.

    Attributes:
        line: where, from 1; 0 if it concerns the whole file.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line

    def at(self, path: Path | str) -> str:
        """`file:line: what is wrong`."""
        return f"{path}:{self.line}: {self}" if self.line else f"{path}: {self}"


def read_text(path: Path) -> str:
    """Read a text file of any of the encodings that `decode` knows.

    Raises:
        TextError: it is too large, or not text.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise TextError(f"the file is too large: more than {LARGEST // 1024**2} MiB")
    return decode(data, path)


def decode(data: bytes, path: Path | str) -> str:
    """Decode a file: what its byte order mark says, or else UTF-8, or else the encoding of the system that wrote it.

    DeepLabCut writes in the encoding of its system, and no file says which that was. It is taken to be this system's own, if
    that is not UTF-8, or else Western Windows. A warning names the file and the line: keys and most names are ASCII and read
    alike in all of them.

    Args:
        path: of the file, for the warning.

    Raises:
        TextError: it is in none of them.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise TextError(
                    f"begins as {encoding.upper()} and is damaged ({error.reason}); save it as UTF-8"
                ) from None
    if b"\0" in data:
        raise TextError("not a text file: it holds zero bytes", _line(data, data.index(b"\0")))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = _line(data, error.start)
    for encoding in dict.fromkeys((_system_encoding(), WESTERN)):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        _log.warning(
            "%s:%d: not UTF-8; read as %s: if a name with accents comes out wrong, save the file as UTF-8",
            path,
            line,
            encoding,
        )
        return text
    raise TextError(f"neither UTF-8 nor {WESTERN}: open it where it was written and save it as UTF-8", line)


def _system_encoding() -> str:
    name = codecs.lookup(locale.getpreferredencoding(False)).name
    return WESTERN if name in ("utf-8", "ascii", "latin-1", "iso8859-1") else name


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1
