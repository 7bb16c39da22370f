"""dlclive beside DeepLabCut itself: the same model files, the same frames, one table.

    python tests/parity/compare.py PYTHON [--shared FOLDER] [network ...]

Runs in dlclive's environment with all plugins. PYTHON is that of an environment with deeplabcut 3.0.2 and deeplabcut-live
1.1.0. Without names of networks (or net types) all are compared, and `benchmarks/parity.md` is written. The exit code is
1 if a network differs by more than its bound, cannot be run, or hangs on rounding in DeepLabCut itself.

DeepLabCut makes the next network's file while this one is exported; nothing else runs while times are taken. Each file is
deleted when its network was compared.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import frames
import numpy as np
import torch
from cases import INDIVIDUALS, Case, choose
from measuring import Difference, nearest_boxes
from numpy.typing import NDArray
from partner import Partner
from table import Row, write

from dlclive_core import Pose, PoseModel, export_model, load_model
from dlclive_core.errors import UnsupportedModelError

HERE = Path(__file__).parent
ROUNDS, SECONDS = 15, 2.5
"""A time is the median of so many frames, or of fewer, if they take longer than this."""


class Reference:
    """One network of DeepLabCut's: its file, the frames, and the answers."""

    def __init__(self, case: Case, folder: Path, report: dict[str, Any]) -> None:
        self.case, self.report = case, report
        self.model = Path(report["model"])
        self.frames: NDArray[np.uint8] = np.load(folder / "frames.npz")["frames"]
        self.frames_path = folder / "frames.npz"
        self._answers = dict(np.load(folder / "answers.npz"))

    def ask(self, model: PoseModel, index: int) -> Pose:
        """The model's pose in a frame, asked as DeepLabCut was."""
        image = self.frames[index]
        if self.case.method == "bu":
            return model.predict(image)
        if self.case.method == "td":
            return model.predict(image, boxes=self._answers[f"boxes.{index}"])
        conditions = self._answers[f"conditions.{index}"].copy()
        conditions[conditions[..., 2] == 0, :2] = np.nan
        return model.predict(image, conditions=conditions)

    def compare(self, model: PoseModel) -> Difference:
        """All frames, and the detector in the first one."""
        difference = Difference()
        for index in range(len(self.frames)):
            pose, wanted = self.ask(model, index), self._answers[f"poses.{index}"]
            ordered = self.case.method != "bu" or self.case.identity
            difference.add(wanted, _by_name(pose) if self.case.identity else _present(pose), ordered=ordered)
            if self.case.unique:
                unique = np.empty((0, 3)) if pose.unique is None else pose.unique
                difference.add(self._answers[f"unique.{index}"][None], unique[None], ordered=True)
        if self.case.method == "td":
            found = model.detector().detect(self.frames[0])
            difference.boxes_px = nearest_boxes(self._answers["detected.0"], found)
            whole = Difference()
            whole.add(self._answers["whole.0"], _present(model.predict(self.frames[0])), ordered=False)
            difference.whole_px = whole.px
        return difference

    def run(self, model: PoseModel, index: int) -> None:
        """As a camera would: with the detector, where there is one."""
        if self.case.method == "ctd":
            self.ask(model, index)
        else:
            model.predict(self.frames[index])


def _present(pose: Pose) -> NDArray[Any]:
    """(N, K, 3) of the animals of which anything was found."""
    return pose.keypoints[np.isfinite(pose.xy).all(axis=-1).any(axis=-1)]


def _by_name(pose: Pose) -> NDArray[Any]:
    """(3, K, 3) in the order of the project's individuals."""
    rows = np.full((len(INDIVIDUALS), len(pose.skeleton), 3), (np.nan, np.nan, 0.0))
    for name, keypoints in zip(pose.ids or (), pose.keypoints, strict=True):
        rows[INDIVIDUALS.index(name)] = keypoints
    return rows


class Comparison:
    """All networks, one after the other."""

    def __init__(self, python: str, shared: Path, folder: Path) -> None:
        images, self.frames_are = frames.take(shared)
        np.savez(folder / "frames.npz", frames=images)
        self._folder = folder
        words = [python, str(HERE / "reference.py"), str(folder / "frames.npz"), "serve"]
        self._maker = Partner(words, folder / "reference.log")
        self._live = Partner([python, str(HERE / "live.py")], folder / "live.log")

    def compare(self, cases: list[Case]) -> list[Row]:
        """Two rows for each network, torch and ONNX."""
        rows: list[Row] = []
        self._make(cases[0])
        report = self._maker.hear()
        for case, following in zip(cases, [*cases[1:], None], strict=True):
            if "error" in report:
                rows.append(Row(case, "torch", failure=f"DeepLabCut itself: {report['error']}"))
                report = self._next(following)
                continue
            reference = Reference(case, self._folder / case.name, report)
            said = self._load_live(reference)
            rows.append(self._row(reference, "torch", reference.model, said))
            _say(rows[-1])
            report = self._onnx(reference, said, rows, following)
            shutil.rmtree(self._folder / case.name)
        self._maker.close()
        self._live.close()
        return rows

    def _make(self, case: Case) -> None:
        folder = self._folder / case.name
        folder.mkdir()
        self._maker.tell({"case": case.name, "folder": str(folder)})

    def _next(self, case: Case | None) -> dict[str, Any]:
        if case is None:
            return {}
        self._make(case)
        return self._maker.hear()

    def _onnx(self, reference: Reference, said: str, rows: list[Row], following: Case | None) -> dict[str, Any]:
        """Add the row of the exported file; the report of the next network, which is made meanwhile."""
        target = self._folder / reference.case.name / "exported.onnx"
        if following is not None:
            self._make(following)
        failure = ""
        try:
            export_model(reference.model, target, frames=[reference.frames[0]])
        except Exception as error:
            failure = _first_line(error)
        report = {} if following is None else self._maker.hear()
        row = Row(reference.case, "onnx", failure=failure, live=said, notes=reference.report["notes"])
        rows.append(row if failure else self._row(reference, "onnx", target, said))
        _say(rows[-1])
        return report

    def _row(self, reference: Reference, runtime: str, path: Path, said: str) -> Row:
        row = Row(reference.case, runtime, live=said, notes=reference.report["notes"])
        row.wobble_px = max(reference.report["wobble_px"], reference.report.get("wobble_boxes_px", 0.0) / 50)
        try:
            with load_model(path, runtime, device="cpu", threads=1) as model:
                row.difference = reference.compare(model)
                row.seconds, row.live_seconds = self._time(reference, model, with_live=not said)
        except Exception as error:
            row.failure = ("not yet: " if isinstance(error, UnsupportedModelError) else "") + _first_line(error)
        return row

    def _load_live(self, reference: Reference) -> str:
        """Load the file in deeplabcut-live; why it cannot be, if it cannot."""
        path = reference.model
        if path.is_dir():
            path = next(path.glob("snapshot-0*.pt"))
        animals = len(INDIVIDUALS) if reference.case.several else 1
        answer = self._live.ask({"load": str(path), "frames": str(reference.frames_path), "animals": animals})
        return answer.get("error", "")

    def _time(self, reference: Reference, model: PoseModel, *, with_live: bool) -> tuple[float, float | None]:
        """Median seconds per frame of the model and of deeplabcut-live, one frame here, one there."""
        ours, theirs = [], []
        began = time.perf_counter()
        for turn in range(ROUNDS + 1):
            index = turn % len(reference.frames)
            before = time.perf_counter()
            reference.run(model, index)
            ours.append(time.perf_counter() - before)
            if with_live:
                theirs.append(self._live.ask({"frame": index})["seconds"])
            if turn and time.perf_counter() - began > SECONDS:
                break
        return statistics.median(ours[1:]), statistics.median(theirs[1:]) if theirs else None


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


def _say(row: Row) -> None:
    print(row.line(), flush=True)


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", help="of an environment with deeplabcut and deeplabcut-live")
    parser.add_argument("--shared", type=Path, default=HERE.parents[1] / ".." / "shared")
    parser.add_argument("networks", nargs="*")
    words = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    cases = choose(words.networks)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="parity-") as name:
        comparison = Comparison(words.python, words.shared, Path(name))
        rows = comparison.compare(cases)
    broken = [row for row in rows if row.broken]
    if not words.networks:
        write(HERE.parents[1] / "benchmarks" / "parity.md", rows, comparison.frames_are)
    print(f"{len(rows) - len(broken)} of {len(rows)} hold, in {time.perf_counter() - began:.0f} s")
    for row in broken:
        print(f"  {row.case.name} {row.runtime}: {row.broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
