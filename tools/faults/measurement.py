"""Measures faults one after the other, and again if a busy machine was too slow."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tools.faults.row import Row

TRIES = 3


@dataclass(frozen=True, slots=True)
class Measurement:
    """Measures one row, or several that belong together.

    Attributes:
        name: the command-line name; several measurements can share one.
        measure: the function that measures; its argument is True for the short form.
    """

    name: str
    measure: Callable[[bool], Sequence[Row] | Row]

    def rows(self, short: bool) -> list[Row]:
        """Measure. An exception becomes a failed row."""
        try:
            rows = self.measure(short)
        except Exception as error:
            text = f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
            return [Row(self.name, "", "", text, 0, False)]
        return [rows] if isinstance(rows, Row) else list(rows)


def measured(measurement: Measurement, short: bool, tries: int = TRIES) -> list[Row]:
    """The rows of a measurement. The short form, which runs on busy machines, repeats it if only a time bound was missed.

    If any other bound was missed, it is not repeated: a correct program never misses one.
    """
    for attempt in range(1, (tries if short else 1) + 1):
        began = time.perf_counter()
        rows = [replace(row, tries=attempt) for row in measurement.rows(short)]
        for row in rows:
            outcome = "not kept" if not row.passed else "kept" if attempt == 1 else f"kept on try {attempt}"
            _log(f"{measurement.name}: {row.fault}: {outcome}: {row.measured}")
        _log(f"{measurement.name}: {time.perf_counter() - began:.0f} s")
        if not all(row.holds for row in rows) or all(row.passed for row in rows):
            break
    return rows


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
