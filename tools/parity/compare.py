"""Compare dlclive with DeepLabCut itself, on the same model files and frames, and write a table.

    python -m tools.parity.compare PYTHON [--shared FOLDER] [network ...]

Run it in dlclive's environment with all plugins. PYTHON is the Python of an environment with deeplabcut 3.0.2 and
deeplabcut-live 1.1.0. Without names of networks (or net types) it compares all networks and writes `benchmarks/parity.md`. The
name "processors" stands for those of deeplabcut-live; their table, `benchmarks/parity_processors.md`, is then written, too. The
exit code is 1 if something differs by more than its bound, cannot be run, or depends on rounding in DeepLabCut itself.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from tools.parity import frames, worker
from tools.parity.cases import Case, choose
from tools.parity.processors_table import ProcessorRow, compare_processors, write_processors
from tools.parity.table import Row, write

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2
PROCESSORS = "processors"


def compare(cases: list[Case], python: str, folder: Path) -> list[Row]:
    """All rows. The workers prepare one network each in parallel; then they are timed one after the other."""
    context = multiprocessing.get_context("spawn")
    workers = [
        ProcessPoolExecutor(1, context, worker.start, (python, folder / f"worker{number}", folder / "frames.npz"))
        for number in range(min(WORKERS, len(cases)))
    ]
    rows: list[Row] = []
    for first in range(0, len(cases), len(workers)):
        batch = list(zip(workers, cases[first : first + len(workers)], strict=False))
        for preparation in [runner.submit(worker.call, "prepare", case) for runner, case in batch]:
            print(preparation.result(), flush=True)
        for runner, _ in batch:
            new_rows = runner.submit(worker.call, "take_times").result()
            print("\n".join(row.line() for row in new_rows), flush=True)
            rows += new_rows
    for runner in workers:
        runner.submit(worker.call, "close").result()
        runner.shutdown()
    return rows


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description="Compare dlclive with DeepLabCut itself")
    parser.add_argument("python", help="the Python of an environment with deeplabcut and deeplabcut-live")
    parser.add_argument("networks", nargs="*", help="names or net types from tools/parity/cases.py (default: all)")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="the folder with the open field")
    options = parser.parse_args()
    networks = [name for name in options.networks if name != PROCESSORS]
    cases = choose(networks) if networks or not options.networks else []
    began = time.perf_counter()
    processors: list[ProcessorRow] = []
    if not options.networks or PROCESSORS in options.networks:
        processors = compare_processors(options.python)
        print("\n".join(row.line() for row in processors), flush=True)
        write_processors(ROOT / "benchmarks" / "parity_processors.md", processors)
    rows: list[Row] = []
    if cases:
        with tempfile.TemporaryDirectory(prefix="parity-") as name:
            images, frames_name = frames.take(options.shared)
            np.savez(Path(name) / "frames.npz", frames=images)
            rows = compare(cases, options.python, Path(name))
        if not options.networks:
            write(ROOT / "benchmarks" / "parity.md", rows, frames_name)
    broken = [f"{row.case.name} {row.runtime}: {row.broken}" for row in rows if row.broken]
    broken += [f"processor {row.name} {row.way}: {row.broken}" for row in processors if row.broken]
    count = len(rows) + len(processors)
    print(f"{count - len(broken)} of {count} rows within their bounds, in {time.perf_counter() - began:.0f} s")
    for line in broken:
        print(f"  {line}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
