"""Processes one network after the other: DeepLabCut makes it; it is compared, exported, compared again, and timed.

Two workers run in parallel, each a process with its own partners. Only one worker measures times at a time.
"""

from __future__ import annotations

import shutil
import statistics
import textwrap
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlclive_core import PoseModel, export_model, load_model
from dlclive_core.errors import UnsupportedModelError
from tools.parity.cases import INDIVIDUALS, Case
from tools.parity.partner import Partner
from tools.parity.reference_run import Reference
from tools.parity.table import Row

ROUNDS, SECONDS = 12, 1.0
"""A time is the median of this many frames, or of fewer if these seconds are over."""


class ComparisonWorker:
    """Compares networks in its own folder.

    Args:
        python: the Python of the environment with deeplabcut and deeplabcut-live.
        folder: the folder, created here; the files of a network are deleted after it was timed.
        frames: the path of `frames.npz`.
    """

    def __init__(self, python: str, folder: Path, frames: Path) -> None:
        warnings.simplefilter("ignore")
        torch.set_num_threads(1)
        folder.mkdir()
        self._folder = folder
        self._maker = Partner([python, "-m", "tools.parity.reference", str(frames), "serve"], folder / "reference.log")
        self._live = Partner([python, "-m", "tools.parity.live"], folder / "live.log")
        self._rows: list[Row] = []
        self._models: list[PoseModel] = []
        self._reference: Reference | None = None

    def prepare(self, case: Case) -> str:
        """Do everything except measuring times; return a line with the network and the seconds."""
        began = time.perf_counter()
        folder = self._folder / case.name
        folder.mkdir()
        report = self._maker.ask({"case": case.name, "folder": str(folder)})
        prepared = time.perf_counter() - began
        if "error" in report:
            self._rows = [Row(case, "torch", failure=f"DeepLabCut itself: {report['error']}")]
            return f"{case.name}: {report['error']}"
        self._reference = Reference(case, folder, report)
        live_error = self._load_live(self._reference)
        self._compare("torch", self._reference.model, live_error)
        if case.form == "export":  # the networks of the other forms are exported in other cases
            self._compare("onnx", folder / "exported.onnx", live_error)
        return f"{case.name}: prepared in {prepared:.1f} s, total {time.perf_counter() - began:.1f} s"

    def take_times(self) -> list[Row]:
        """Measure the times of the prepared network, delete its files, and return its complete rows."""
        for model, row in zip(self._models, [row for row in self._rows if not row.failure], strict=True):
            row.seconds, row.live_seconds = self._time(model, with_live=not row.live)
            model.close()
        if self._reference is not None:
            shutil.rmtree(self._folder / self._reference.case.name)
        rows, self._rows, self._models, self._reference = self._rows, [], [], None
        return rows

    def close(self) -> None:
        """End the partners."""
        self._maker.close()
        self._live.close()

    def _compare(self, runtime: str, path: Path, live_error: str) -> None:
        assert self._reference is not None
        report = self._reference.report
        row = Row(self._reference.case, runtime, live=live_error, notes=report["notes"])
        row.wobble_px, row.wobble_confidence = report["wobble_px"], report["wobble_confidence"]
        row.wobble_boxes_px = report.get("wobble_boxes_px", 0.0)
        self._rows.append(row)
        try:
            if runtime == "onnx":
                # random networks diverge on crops to which they were not fitted, so only the comparison below counts
                export_model(self._reference.model, path, frames=list(self._reference.frames[:1]), max_error=np.inf)
            model = load_model(path, runtime, device="cpu", threads=1)
            row.difference = self._reference.compare(model)
            self._models.append(model)
        except Exception as error:
            message = _message(error).replace(f"{path.parent}/", "")
            row.failure = ("not yet: " if isinstance(error, UnsupportedModelError) else "") + message

    def _load_live(self, reference: Reference) -> str:
        """Load the file in deeplabcut-live; return the error, or "" if there is none."""
        path = reference.model
        if path.is_dir():
            path = next(path.glob("snapshot-0*.pt"))
        animals = len(INDIVIDUALS) if reference.case.several else 1
        reply = self._live.ask({"load": str(path), "frames": str(reference.frames_path), "animals": animals})
        return str(reply.get("error", ""))

    def _time(self, model: PoseModel, *, with_live: bool) -> tuple[float, float | None]:
        """Median seconds per frame of the model and of deeplabcut-live, one frame each in turn."""
        assert self._reference is not None
        ours: list[float] = []
        theirs: list[float] = []
        began = time.perf_counter()
        for turn in range(ROUNDS + 1):
            index = turn % len(self._reference.frames)
            before = time.perf_counter()
            self._reference.run(model, index)
            ours.append(time.perf_counter() - before)
            if with_live:
                theirs.append(self._live.ask({"frame": index})["seconds"])
            if time.perf_counter() - began > SECONDS:
                break
        first = int(len(ours) > 1)  # the first frame is slower, and skipped unless it is the only one
        return statistics.median(ours[first:]), statistics.median(theirs[first:]) if theirs else None


def _message(error: Exception) -> str:
    return f"{type(error).__name__}: {textwrap.shorten(str(error), 500)}"


_worker: list[ComparisonWorker] = []


def start(python: str, folder: Path, frames: Path) -> None:
    """Start the worker of this process."""
    _worker.append(ComparisonWorker(python, folder, frames))


def call(method: str, *arguments: Any) -> Any:
    """Call a method of the worker of this process."""
    return getattr(_worker[0], method)(*arguments)
