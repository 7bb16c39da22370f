"""dlclive beside DeepLabCut itself: the same model files, the same frames, one table.

    python -m tools.parity.compare PYTHON [--shared FOLDER] [network ...]

Runs in dlclive's environment with all plugins. PYTHON is that of an environment with deeplabcut 3.0.2 and deeplabcut-live
1.1.0. Without names of networks (or net types) all are compared, and `benchmarks/parity.md` is written. The exit code is
1 if a network differs by more than its bound, cannot be run, or hangs on rounding in DeepLabCut itself.
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
from tools.parity.table import Row, write

ROOT = Path(__file__).resolve().parents[2]
LANES = 2


def compare(cases: list[Case], python: str, folder: Path) -> list[Row]:
    """All rows. As many networks as there are workers are prepared at a time, then their times are taken in turn."""
    context = multiprocessing.get_context("spawn")
    workers = [
        ProcessPoolExecutor(1, context, worker.start, (python, folder / f"worker{number}", folder / "frames.npz"))
        for number in range(min(LANES, len(cases)))
    ]
    rows: list[Row] = []
    for first in range(0, len(cases), len(workers)):
        together = list(zip(workers, cases[first : first + len(workers)], strict=False))
        for done in [runner.submit(worker.call, "prepare", case) for runner, case in together]:
            print(done.result(), flush=True)
        for runner, _ in together:
            fresh = runner.submit(worker.call, "take_times").result()
            print("\n".join(row.line() for row in fresh), flush=True)
            rows += fresh
    for runner in workers:
        runner.submit(worker.call, "close").result()
        runner.shutdown()
    return rows


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description="dlclive beside DeepLabCut itself")
    parser.add_argument("python", help="of an environment with deeplabcut and deeplabcut-live")
    parser.add_argument(
        "networks", nargs="*", help="names or net types of tools/parity/cases.py; all, if none is given"
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="folder with the open field")
    words = parser.parse_args()
    cases = choose(words.networks)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="parity-") as name:
        images, images_are = frames.take(words.shared)
        np.savez(Path(name) / "frames.npz", frames=images)
        rows = compare(cases, words.python, Path(name))
    if not words.networks:
        write(ROOT / "benchmarks" / "parity.md", rows, images_are)
    broken = [row for row in rows if row.broken]
    print(f"{len(rows) - len(broken)} of {len(rows)} hold, in {time.perf_counter() - began:.0f} s")
    for row in broken:
        print(f"  {row.case.name} {row.runtime}: {row.broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
