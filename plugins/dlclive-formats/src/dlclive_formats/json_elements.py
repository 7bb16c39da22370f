"""Reads a large JSON file piece by piece: the elements of its lists, each with its place in the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dlclive_core import DataError

LONGEST = 8 << 20
"""Bytes of one element. A thousand keypoints take 100 kB; an outline drawn by hand may take more."""

_BLOCK = 1 << 20
_SPACE = re.compile(r"[ \t\n\r]*")
_MARK = "\xef\xbb\xbf"  # the byte order mark of UTF-8, as Latin-1
_decode = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Element:
    """A value at the top of a file, or an element of a list there.

    Attributes:
        key: of the value, or of the list; "" in a file that is a list itself.
        value: what it is.
        start, length: its place, in bytes.
    """

    key: str
    value: Any
    start: int
    length: int


def elements(file: IO[bytes], path: Path) -> Iterator[Element]:
    """Yield the elements of a file in order; no more than a few of them are in memory.

    Args:
        file: open for reading, at its beginning.
        path: for messages.

    Raises:
        DataError: it is not JSON, an object or a list; an element is larger than `LONGEST`, or nested too deeply.
        OSError: it cannot be read.
    """
    cursor = _Cursor(file, path)
    if cursor.peek() == "[":
        yield from _list(cursor, "")
    else:
        yield from _object(cursor)
    if cursor.peek():
        raise cursor.error("something follows after the end")


def read_element(file: IO[bytes], start: int, length: int) -> Any:
    """One element again, from its place. Raises ValueError if the file has changed meanwhile."""
    file.seek(start)
    return json.loads(file.read(length))


def _object(cursor: _Cursor) -> Iterator[Element]:
    cursor.take("{")
    if cursor.peek() == "}":
        cursor.take("}")
        return
    while True:
        key = cursor.element("").value
        if not isinstance(key, str):
            raise cursor.error("a key is not text")
        cursor.take(":")
        if cursor.peek() == "[":
            yield from _list(cursor, key)
        else:
            yield cursor.element(key)
        if cursor.take(",}") == "}":
            return


def _list(cursor: _Cursor, key: str) -> Iterator[Element]:
    cursor.take("[")
    if cursor.peek() == "]":
        cursor.take("]")
        return
    while True:
        yield cursor.element(key)
        if cursor.take(",]") == "]":
            return


class _Cursor:
    """A position in a file. The text is the file's bytes as Latin-1, in which characters are counted as bytes are."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path = file, path
        self._text, self._at, self._before = "", 0, 0
        self._more()
        if self._text.startswith(_MARK):
            self._at = len(_MARK)

    def error(self, problem: str) -> DataError:
        return DataError(f"{self._path} cannot be read as JSON: {problem}, at byte {self._before + self._at}")

    def peek(self) -> str:
        """The next character that is not space; "" at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, expected: str) -> str:
        """One of some characters."""
        found = self.peek()
        if not found or found not in expected:
            raise self.error(f"expected {' or '.join(expected)}, found {found or 'the end'!r}")
        self._at += 1
        return found

    def element(self, key: str) -> Element:
        self.peek()
        value, end = None, 0
        while True:
            problem = ""
            try:
                value, end = _decode(self._text, self._at)
            except RecursionError:
                raise self.error("nested too deeply") from None
            except ValueError as error:
                problem = str(error).partition(":")[0]
            if len(self._text) - self._at > LONGEST:
                raise self.error(problem or f"an element is larger than {LONGEST >> 20} MiB")
            if not problem and end < len(self._text) and self._text[end] not in ".eE":
                break
            if (
                not self._more()
            ):  # a number may go on in the next block, as 0.5 or 1e9, and text and lists may end there
                if problem:
                    raise self.error(problem)
                break
        raw, start = self._text[self._at : end], self._before + self._at
        if not raw.isascii():
            try:
                value = json.loads(raw.encode("latin-1"))
            except ValueError:
                raise self.error("not UTF-8") from None
        self._at = end
        return Element(key, value, start, len(raw))

    def _more(self) -> bool:
        data = self._file.read(_BLOCK)
        if data:
            self._before += self._at
            self._text, self._at = self._text[self._at :] + data.decode("latin-1"), 0
        return bool(data)
