"""Numbers with their noun: `1 event`, `2 events`."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """A number and a noun, in the plural unless the number is 1."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
