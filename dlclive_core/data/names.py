"""Names that come from files: made safe for the name of a file, or for a terminal.

A model file says what its scorer, its keypoints and its individuals are called, and may come from a stranger. Tables hold
these names as they are; whatever else is made of them goes through here.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_NAME = 200
"""UTF-8 bytes. File systems take 255; the rest is for what we append, such as `_timestamps.csv.part.lock`."""

_HASH = 8  # hexadecimal digits
_NOT_IN_NAMES = set('<>:"/\\|?*')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(?=$|[ .])", re.IGNORECASE)


def file_name_part(text: str) -> str:
    """Text as a part of a file's name that Linux, macOS and Windows take; "" for "".

    What no file name may hold (separators, `<>:"|?*`, control and formatting characters) becomes "_", as do dots and spaces
    at the end. A name that Windows reserves, such as `CON` or `aux.csv`, begins with "_". One of over 200 bytes is cut, and
    ends in a hash of the whole, so that two long names stay two.
    """
    part = "".join("_" if char in _NOT_IN_NAMES or not _is_visible(char) else char for char in text)
    end = len(part.rstrip(". "))
    part = part[:end] + "_" * (len(part) - end)
    if _RESERVED.match(part):
        part = f"_{part}"
    data = part.encode("utf-8")
    if len(data) > LONGEST_NAME:
        mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
        part = f"{data[: LONGEST_NAME - _HASH - 1].decode('utf-8', 'ignore')}-{mark}"
    return part


def printable(text: str, *, keep_lines: bool = False) -> str:
    r"""Text without anything that a terminal obeys: control and formatting characters are written as escapes, as in "\x1b".

    Args:
        keep_lines: leave line ends and tabs as they are, in text of our own with several lines.
    """
    if text.isprintable():
        return text
    kept = "\n\t" if keep_lines else ""
    return "".join(char if char in kept or _is_visible(char) else _escaped(char) for char in text)


def _is_visible(char: str) -> bool:
    """Whether it has a place on the screen and changes nothing else; a joiner inside an emoji or a word is part of it."""
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or char in "\u200c\u200d"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
