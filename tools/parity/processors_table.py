"""The table of processors, `benchmarks/parity_processors.md`."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.parity.partner import ROOT

BOUND_PX = 1e-3
BOUND_LIKELIHOOD = 1e-6


@dataclass(frozen=True)
class ProcessorRow:
    """One processor of deeplabcut-live, run in one way of ours: the largest differences from itself."""

    name: str
    options: str
    way: str
    px: float = 0.0
    likelihood: float = 0.0
    failure: str = ""

    @property
    def broken(self) -> str:
        """The missed bounds or the failure; "" if all bounds are kept."""
        if self.failure:
            return self.failure
        kept = self.px <= BOUND_PX and self.likelihood <= BOUND_LIKELIHOOD
        return "" if kept else f"{self.px:.3g} px, {self.likelihood:.2g} in likelihood"

    def line(self) -> str:
        """The row in Markdown."""
        note = f"**{self.broken}**" if self.broken else ""
        return (
            f"| processor {self.name} | {self.options} | {self.way} | {self.px:.5f} | {self.likelihood:.1e} | {note} |"
        )


def compare_processors(python: str) -> list[ProcessorRow]:
    """Run the comparison in the environment of deeplabcut-live."""
    name = "KalmanFilterPredictor"
    done = subprocess.run(
        [python, "-W", "ignore", "-m", "tools.parity.processors"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return [ProcessorRow(name, "", "", failure=(done.stderr.strip().splitlines() or ["no message"])[-1])]
    results = json.loads(done.stdout.strip().splitlines()[-1])
    return [ProcessorRow(name, **row) for row in results["rows"]]


def write_processors(path: Path, rows: list[ProcessorRow]) -> None:
    """Write the table, with an introduction that explains it."""
    lines = "\n".join(row.line() for row in rows)
    path.write_text(
        f"""# Processors of deeplabcut-live, run here and there

Made by `python -m nox -s parity -- processors`, and by `python -m nox -s parity`: the published class of deeplabcut-live 1.1.0,
in its own environment, called as deeplabcut-live calls it, and the same class in a `Session` of ours, as an object and from a
file (`--processor deeplabcut-live:mine.py`). Both get 400 poses of five keypoints at the same irregular times. "ours" is
`dlclive_processors.KalmanFilterPredictor`, called in the same way. The columns are the largest differences of any keypoint in
any frame; the bounds are {BOUND_PX:g} px and {BOUND_LIKELIHOOD:g} in likelihood.

A missing keypoint is (0, 0, 0) for a processor of deeplabcut-live. With `lik_thresh=0`, its default, the published filter takes
that for a measurement, here as there; ours does not, and is not compared in that row.

| processor | options | way | px | likelihood | notes |
|---|---|---|---|---|---|
{lines}
""",
        encoding="utf-8",
    )
