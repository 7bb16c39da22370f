"""One line of the table of faults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A fault, and what came of it.

    Attributes:
        fault: what goes wrong.
        injected: how it is made to.
        bound: what is promised.
        measured: what was seen.
        runs: how often it was tried.
        passed: whether the promise was kept in all of them.
        noisy: the bound is a time that a busy machine can miss; worth measuring again on a quiet one if it was missed.
    """

    fault: str
    injected: str
    bound: str
    measured: str
    runs: int
    passed: bool
    noisy: bool = False


def table(rows: Iterable[Row]) -> str:
    """In Markdown."""
    lines = ["| fault | injected by | bound | measured | runs | kept |", "|---|---|---|---|---|---|"]
    for row in rows:
        kept = "yes" if row.passed else "**no**, measure again on a quiet machine" if row.noisy else "**no**"
        lines.append(f"| {row.fault} | {row.injected} | {row.bound} | {row.measured} | {row.runs} | {kept} |")
    return "\n".join(lines)
