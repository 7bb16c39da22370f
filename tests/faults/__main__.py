"""All faults, as a table: `python -m nox -s faults [-- --short] [-- NAME ...]`.

Without names, all of them, and the table is written to benchmarks/faults.md (not with --short).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from faults.cameras import cameras
from faults.files import full_disk, killed
from faults.laser import laser
from faults.live import changing_shape, raising, slow_consumer, slow_model, slow_sink, stall
from faults.plugins import broken_plugin
from faults.poses import invalid_poses
from faults.processes import hangs, stopped, stopped_twice, wall_clock
from faults.row import Row, table
from faults.soak import soak
from faults.tested import tested

from dlclive_core.system import system_info

OUT = Path(__file__).parent.parent.parent / "benchmarks" / "faults.md"

Measure = Callable[[bool], "list[Row] | Row"]


def _shapes(short: bool) -> Row:
    with tempfile.TemporaryDirectory() as name:
        return changing_shape(Path(name))


FAULTS: dict[str, Measure] = {
    "laser": lambda short: laser(3 if short else 50, 20.0 if short else 600.0),
    "killed": lambda short: killed(4 if short else 50),
    "disk": lambda short: full_disk(1 if short else 5),
    "stall": lambda short: stall(1 if short else 5, 1.0 if short else 5.0),
    "slow-model": lambda short: slow_model(1 if short else 5, 3.0 if short else 10.0),
    "slow-consumer": lambda short: slow_consumer(1 if short else 3, 3.0 if short else 10.0),
    "slow-sink": lambda short: [
        slow_sink(2 if short else 6, computes=False, seconds=3.0 if short else 10.0),
        slow_sink(2 if short else 6, computes=True, seconds=3.0 if short else 10.0),
    ],
    "stop": lambda short: [stopped(2 if short else 25), stopped_twice(1 if short else 20)],
    "hang": lambda short: hangs(1 if short else 5),
    "raise": lambda short: raising(1000 if short else 10_000),
    "shape": _shapes,
    "clock": lambda short: wall_clock(1 if short else 3),
    "plugin": lambda short: broken_plugin(1 if short else 5),
    "poses": lambda short: invalid_poses(2000 if short else 100_000),
    "cameras": lambda short: cameras(2 if short else 10),
    "tests": lambda short: tested(),
}


def main() -> int:
    """Print the table; the exit code is 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join([*FAULTS, 'soak'])}")
    parser.add_argument("--short", action="store_true", help="a few runs of each, a few minutes in all")
    parser.add_argument("--soak", type=float, help="length of the soak in seconds: 3600, with --short 180")
    given = parser.parse_args()
    length = given.soak or (180.0 if given.short else 3600.0)
    measures = {**FAULTS, "soak": lambda short: soak(length, min(length, 600.0))}
    names = given.names or list(measures)
    if unknown := set(names) - set(measures):
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(measures)}")
    rows: list[Row] = []
    load = os.getloadavg()[0]
    for name in names:
        began = time.perf_counter()
        try:
            found = measures[name](given.short)
        except Exception as error:
            found = Row(name, "", "", f"{type(error).__name__}: {error}".replace("\n", " ")[:300], 0, False)
        rows += [found] if isinstance(found, Row) else found
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    info = system_info()
    text = (
        "# Faults\n\nMade with `python -m nox -s faults`: real processes and real kills; simulated are the devices.\n\n"
        f"{info['processor']}, {info['cpus']} CPUs, load {load:.1f} at the beginning, Python {info['python']}\n\n"
        f"{table(rows)}\n"
    )
    print(text)
    if not given.short and not given.names:
        OUT.write_text(text, encoding="utf-8")
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
