"""Makes names from untrusted files safe for file names and terminals.

A model file names its scorer, keypoints and individuals, and may come from a stranger. Tables store these names unchanged;
every other use goes through this module.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_NAME = 200
"""UTF-8 bytes. File systems allow 255; the rest is for our suffixes, such as `_timestamps.csv.part.lock`."""

_HASH = 8  # hexadecimal digits
_NOT_IN_NAMES = set('<>:"/\\|?*')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(?=$|[ .])", re.IGNORECASE)


def file_name_part(text: str) -> str:
    """Text as part of a file name that is valid on Linux, macOS and Windows; "" for "".

    Invalid characters (separators, `<>:"|?*`, control and formatting characters) become "_", as do trailing dots and
    spaces. Names that Windows reserves, such as `CON` or `aux.csv`, get a leading "_". Names over 200 bytes are cut and end
    in a hash of the whole, so that two long names remain different.
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
    r"""Text that a terminal does not interpret: control and formatting characters become escapes, such as "\x1b".

    Args:
        keep_lines: keep line ends and tabs, for our own text of several lines.
    """
    if text.isprintable():
        return text
    kept = "\n\t" if keep_lines else ""
    return "".join(char if char in kept or _is_visible(char) else _escaped(char) for char in text)


def _is_visible(char: str) -> bool:
    """Whether a character only takes up space on the screen; so do the joiners inside an emoji or a word."""
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or char in "\u200c\u200d"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
