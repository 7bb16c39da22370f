"""Measure faults and print them as a table: `python -m nox -s faults [-- --short] [-- NAME ...]`.

The results replace the rows of the same name in benchmarks/faults.json and faults.md. The short form prints the table and
writes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from contextlib import nullcontext

from tools.faults.catalogue import MEASUREMENTS, NAMES, SHORT, SOAK
from tools.faults.measurement import Measurement, measured
from tools.faults.results import machine, merge
from tools.faults.row import Row, table
from tools.faults.soak import Soaks

SHORT_SOAK, LONG_SOAK, LEAK = 180.0, 3600.0, 600.0  # seconds; LEAK: the longest run of the soak that leaks


def main() -> int:
    """Print the table; the exit code is 1 if a bound was not kept."""
    parser = argparse.ArgumentParser(prog="nox -s faults --", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"the faults to measure (default: all): {', '.join(NAMES)}")
    parser.add_argument("--all", action="store_true", help="measure all faults, also with --short")
    parser.add_argument("--short", action="store_true", help="a few runs of each, for busy machines; four minutes")
    parser.add_argument(
        "--soak",
        type=float,
        help=f"length of the soak in seconds (default: {LONG_SOAK:g}, with --short {SHORT_SOAK:g})",
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(NAMES)}")
    names = options.names or (SHORT if options.short and not options.all else NAMES)
    results = measure(set(names), options.short, options.soak or (SHORT_SOAK if options.short else LONG_SOAK))
    rows = [row for name in NAMES if name in results for row in results[name]]
    if not options.short:
        merge(results, NAMES)
    print(f"{machine()}\n\n{table(rows)}")
    return 0 if all(row.passed for row in rows) else 1


def measure(names: set[str], short: bool, soak_seconds: float) -> dict[str, list[Row]]:
    """The rows by name. The soak runs alone; in the short form it runs in parallel with the other faults."""
    results: dict[str, list[Row]] = defaultdict(list)
    soaks = Soaks(soak_seconds, min(soak_seconds, LEAK)) if SOAK in names else None
    with soaks or nullcontext():
        if soaks is not None and short:
            soaks.start()
        for measurement in MEASUREMENTS:
            if measurement.name in names:
                results[measurement.name] += measured(measurement, short)
        if soaks is not None:
            results[SOAK] = measured(Measurement(SOAK, soaks.rows), short=short, tries=1)
    return dict(results)


if __name__ == "__main__":
    sys.exit(main())
