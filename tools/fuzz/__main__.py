"""Hostile files for every reader, as a table: `python -m nox -s fuzz [-- NAME ... --count N --seed S]`.

An input is read, or refused with an error of ours; anything else (another exception, more than 10 s, 500 MB more memory) is a
failure. It is kept in `.fuzz/`, and made again by its target, seed and number. The table goes to benchmarks/fuzz.md, in the
place of rows with the same name.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tools.fuzz.results import merge
from tools.fuzz.run import run, save
from tools.fuzz.targets import NAMES

ROOT = Path(__file__).parent.parent.parent


def main() -> int:
    """Print what was found; the exit code is 1 if an input failed."""
    parser = argparse.ArgumentParser(prog="nox -s fuzz --", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(NAMES)}; none: all")
    parser.add_argument("--count", type=int, default=10_000, help="inputs for each target")
    parser.add_argument("--seed", type=int, default=1, help="inputs of another seed are others")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=ROOT / ".fuzz", help="folder for the inputs that fail")
    parser.add_argument("--no-table", action="store_true", help="write no table")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(NAMES)}")
    failed = False
    for name in options.names or NAMES:
        began = time.monotonic()
        result = run(name, options.count, options.seed, options.processes)
        save(name, options.seed, result, options.keep)
        if not options.no_table:
            merge(name, result, options.seed, NAMES)
        print(
            f"{name}: {result.inputs} inputs in {time.monotonic() - began:.0f} s, {result.read} read, "
            f"{result.refused} refused, {len(result.failures)} failed; slowest {result.slowest * 1000:.0f} ms, "
            f"{result.grown >> 10} MB",
            flush=True,
        )
        for kind, count in result.kinds.most_common():
            print(f"  {count} x {kind}", flush=True)
        failed = failed or bool(result.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
