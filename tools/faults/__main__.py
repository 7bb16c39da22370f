"""All faults, as a table: `python -m nox -s faults [-- --short] [-- NAME ...]`.

What was measured goes to benchmarks/faults.json and faults.md, in the place of what had the same name; the short form prints
it and writes nothing.
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

SHORT_SOAK, LONG_SOAK, LEAK = 180.0, 3600.0, 600.0  # seconds; LEAK: at most, of the one that leaks


def main() -> int:
    """Print the table; the exit code is 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(prog="nox -s faults --", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(NAMES)}; none: all")
    parser.add_argument("--all", action="store_true", help="all, the same as no name")
    parser.add_argument("--short", action="store_true", help="a few runs of each, for busy machines; four minutes")
    parser.add_argument(
        "--soak", type=float, help=f"length of the soak: {LONG_SOAK:g} s, with --short {SHORT_SOAK:g} s"
    )
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(NAMES)}")
    names = given.names or (SHORT if given.short and not given.all else NAMES)
    found = measure(set(names), given.short, given.soak or (SHORT_SOAK if given.short else LONG_SOAK))
    rows = [row for name in NAMES if name in found for row in found[name]]
    if not given.short:
        merge(found, NAMES)
    print(f"{machine()}\n\n{table(rows)}")
    return 0 if all(row.passed for row in rows) else 1


def measure(names: set[str], short: bool, soak_seconds: float) -> dict[str, list[Row]]:
    """The rows of each name. The soak has the machine to itself, but in the short form it runs beside all the others."""
    found: dict[str, list[Row]] = defaultdict(list)
    soaks = Soaks(soak_seconds, min(soak_seconds, LEAK)) if SOAK in names else None
    with soaks or nullcontext():
        if soaks is not None and short:
            soaks.start()
        for what in MEASUREMENTS:
            if what.name in names:
                found[what.name] += measured(what, short)
        if soaks is not None:
            found[SOAK] = measured(Measurement(SOAK, soaks.rows), short=short, tries=1)
    return dict(found)


if __name__ == "__main__":
    sys.exit(main())
