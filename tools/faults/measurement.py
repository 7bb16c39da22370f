"""Measuring faults: one after the other, again where a busy machine was too slow."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tools.faults.row import Row

TRIES = 3


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row, or some that belong together.

    Attributes:
        name: on the command line; several can share one.
        measure: takes whether it is the short form.
    """

    name: str
    measure: Callable[[bool], Sequence[Row] | Row]

    def rows(self, short: bool) -> list[Row]:
        """Measure. What raises has failed, in a row that says so."""
        try:
            found = self.measure(short)
        except Exception as error:
            text = f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
            return [Row(self.name, "", "", text, 0, False)]
        return [found] if isinstance(found, Row) else list(found)


def measured(what: Measurement, short: bool, tries: int = TRIES) -> list[Row]:
    """Its rows. In the short form, which runs on busy machines, what was only not in time is measured again.

    What broke anything but a bound in time is not: that never happens to a program that is right.
    """
    for tried in range(1, (tries if short else 1) + 1):
        began = time.perf_counter()
        rows = [replace(row, tries=tried) for row in what.rows(short)]
        for row in rows:
            kept = "not kept" if not row.passed else "kept" if tried == 1 else f"kept at try {tried}"
            _say(f"{what.name}: {row.fault}: {kept}: {row.measured}")
        _say(f"{what.name}: {time.perf_counter() - began:.0f} s")
        if not all(row.holds for row in rows) or all(row.passed for row in rows):
            break
    return rows


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
