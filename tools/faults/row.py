"""One line of the table of faults."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field


def _load() -> float:
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else float("nan")


@dataclass(frozen=True, slots=True)
class Row:
    """A fault, and what came of it.

    Attributes:
        fault: what goes wrong.
        injected: how it is made to.
        bound: what is promised.
        measured: what was seen.
        runs: how often it was tried.
        holds: whether the part of the promise that has nothing to do with time was kept in all of them: files open, counts
            are exact, nothing dies.
        in_time: whether the part that is a time was kept, which a busy machine can miss.
        day, load: when it was measured, and how busy the machine was in that minute (processes that want a processor).
        tries: how often all of it was measured, because it was not in time.
    """

    fault: str
    injected: str
    bound: str
    measured: str
    runs: int
    holds: bool
    in_time: bool = True
    day: str = field(default_factory=lambda: time.strftime("%Y-%m-%d"))
    load: float = field(default_factory=_load)
    tries: int = 1

    @property
    def passed(self) -> bool:
        """Whether the promise was kept."""
        return self.holds and self.in_time

    @property
    def kept(self) -> str:
        """The same in words."""
        if not self.holds:
            return "**no**"
        if not self.in_time:
            return "**no**, measure again on a quiet machine" if self.tries == 1 else f"**no**, in {self.tries} tries"
        return "yes" if self.tries == 1 else f"yes, at try {self.tries}"


def table(rows: Iterable[Row]) -> str:
    """In Markdown."""
    lines = [
        "| fault | injected by | bound | measured | runs | day | load | kept |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (row.fault, row.injected, row.bound, row.measured, row.runs, row.day, f"{row.load:.1f}", row.kept)
        lines.append(f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)
