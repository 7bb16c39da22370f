"""What the names in a model may be: text without control characters, unique, of bounded length and number."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

MOST_NAMES = 1000
"""Keypoints, or individuals, of one model. Projects have a few dozen."""

LONGEST_NAME = 200
"""Characters."""

LONGEST_SCORER = 4096
"""Characters. A scorer has the names of a network, a project and a snapshot in it."""

_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of characters, ends of lines and paragraphs
_DIRECTIONS = (
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # text that reads in another order than it is written
)


def check_name(name: object, what: str, longest: int = LONGEST_NAME) -> None:
    """Raise ValueError unless a name is text of 1 to `longest` characters, none of them a control character."""
    if not isinstance(name, str):
        raise ValueError(f"{what} must be text, not {type(name).__name__}")
    if not name.strip():
        raise ValueError(f"{what} is empty")
    if len(name) > longest:
        raise ValueError(f"{what} has {len(name)} characters; {longest} is the most")
    if not name.isprintable() and any(
        unicodedata.category(letter) in _UNPRINTABLE or letter in _DIRECTIONS for letter in name
    ):
        raise ValueError(f"{what} contains a control character: {ascii(name)[:60]}")


def check_names(names: Sequence[object], what: str) -> None:
    """Raise ValueError unless all are names, no more than `MOST_NAMES`, and unique."""
    if len(names) > MOST_NAMES:
        raise ValueError(f"{what}: {len(names)} names; {MOST_NAMES} is the most")
    for index, name in enumerate(names):
        check_name(name, f"{what}[{index}]")
    repeated = [str(name) for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"{what} must be unique; repeated: {', '.join(repeated[:5])}")


def check_scorer(name: object) -> None:
    """Raise ValueError unless a scorer is printable text; it may be empty, and long, and hold what file names do not."""
    if name != "":
        check_name(name, "scorer", LONGEST_SCORER)
