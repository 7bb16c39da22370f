"""The ten scripts on both packages, and the distance of their poses."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.compat.scripts import SCRIPTS

ROOT = Path(__file__).resolve().parents[2]
BOUND = 0.01  # px
FP16_BOUND = 0.05  # px: the two round to half precision in another order
LIKELIHOOD_BOUND = 0.002
SOME_FRAMES = ("live_video",)
"""Scripts that drop frames as they come; the others must give all of them, there and here."""
NOTES = {
    "fp16": f"half precision; bound {FP16_BOUND} px",
    "live_video": "deeplabcut-live's analyze_live_video cannot work; its `DLCLive` loop stands for it",
}
_LIMIT = 3600  # seconds


@dataclass(frozen=True, slots=True)
class ScriptRow:
    """The result of one script.

    Attributes:
        frames: whose poses both gave.
        px, likelihood: the largest differences.
        error: why they cannot be compared; empty if they were.
    """

    name: str
    frames: int = 0
    px: float = float("inf")
    likelihood: float = float("inf")
    error: str = ""

    @property
    def broken(self) -> str:
        """Why this row is not as it should be; empty if it is."""
        bound = FP16_BOUND if self.name == "fp16" else BOUND
        if self.error:
            return self.error
        if self.px <= bound and self.likelihood <= LIKELIHOOD_BOUND and self.frames:
            return ""
        return (
            f"{self.px:.3f} px and a likelihood of {self.likelihood:.4f} in {self.frames} frames; bounds {bound} px and "
            f"{LIKELIHOOD_BOUND}"
        )

    def line(self) -> str:
        note = self.broken or NOTES.get(self.name, "")
        summary = " ".join((SCRIPTS[self.name].__doc__ or "").split()).split(". ")[0].rstrip(".")
        return f"| {self.name} | {summary} | {self.frames} | {self.px:.5f} | {self.likelihood:.1e} | {note} |"


def run_scripts(python: str, arguments: list[str], out: Path) -> None:
    """Run all scripts in an environment. Raises SystemExit if that fails altogether."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    command = [python, "-m", "tools.compat.scripts", *arguments, str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_LIMIT, check=False)
    if done.returncode or not out.is_file():
        raise SystemExit(f"the scripts ended with {done.returncode} on {python}:\n{done.stderr[-4000:]}")


def script_rows(theirs: Path, ours: Path) -> list[ScriptRow]:
    """Compare two files of poses."""
    with np.load(theirs) as old, np.load(ours) as new:
        return [_compare(name, old, new) for name in SCRIPTS]


def _compare(name: str, old: np.lib.npyio.NpzFile, new: np.lib.npyio.NpzFile) -> ScriptRow:
    for who, results in (("deeplabcut-live", old), ("dlclive", new)):
        if f"{name}.error" in results:
            return ScriptRow(name, error=f"{who}: {results[f'{name}.error']}")
    if name not in SOME_FRAMES and not np.array_equal(old[f"{name}.index"], new[f"{name}.index"]):
        return ScriptRow(name, error="not the same frames")
    _, first, second = np.intersect1d(old[f"{name}.index"], new[f"{name}.index"], return_indices=True)
    if not len(first):
        return ScriptRow(name, error="no frame in common")
    difference = np.abs(old[name][first] - new[name][second])
    difference = np.where(np.isfinite(difference), difference, np.inf)
    return ScriptRow(name, len(first), float(difference[..., :2].max()), float(difference[..., 2].max()))
