"""Names of a file, for a message."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice


def shown_names(names: Iterable[object], most: int = 3) -> str:
    """The first names on one line, each cut to a length: a stranger's may be of any length, and hold line ends."""
    return ", ".join(_shown(name) for name in islice(names, most))


def _shown(name: object) -> str:
    text = repr(name)
    return text if len(text) <= 60 else f"{text[:57]}..."
