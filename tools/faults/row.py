"""A row of the table of faults."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field


def _load() -> float:
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else float("nan")


@dataclass(frozen=True, slots=True)
class Row:
    """A fault and its result.

    Attributes:
        fault: what goes wrong.
        injected: how the fault is injected.
        bound: the bound that must be kept.
        measured: the measured result.
        runs: the number of runs.
        holds: whether every run kept the part of the bound that does not depend on time: files open, counts are exact,
            nothing dies.
        in_time: whether the time bound was kept. A busy machine can miss it.
        day, load: the day of the measurement, and the machine's load average over that minute.
        tries: the number of measurements; more than one if the time bound was missed.
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
        """Whether the bound was kept."""
        return self.holds and self.in_time

    @property
    def kept(self) -> str:
        """The last cell of the row: whether the bound was kept."""
        if not self.holds:
            return "**no**"
        if not self.in_time:
            return "**no**, measure again on a quiet machine" if self.tries == 1 else f"**no**, in {self.tries} tries"
        return "yes" if self.tries == 1 else f"yes, on try {self.tries}"


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| fault | injected by | bound | measured | runs | day | load | kept |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (row.fault, row.injected, row.bound, row.measured, row.runs, row.day, f"{row.load:.1f}", row.kept)
        lines.append(f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)
