"""A student as one more candidate: where it is made, how it runs, and what to say if the error bound keeps it out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.runtime_request import RuntimeRequest
from dlclive_core.deeplabcut.locate import KEPT
from dlclive_core.models.network import Network, Setting
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.tuning.trial import Goal, Trial


@dataclass(frozen=True, slots=True)
class Student:
    """A small network that was trained to do the model's job.

    Attributes:
        name: of the network, for tables.
        file: alone in its folder, so that no other file is taken for a part of it.
    """

    name: str
    file: Path


def kept_folder(model: Path) -> Path:
    """The folder beside a model for the files that are loaded in its place: `mouse.dlclive` for `mouse.pt`."""
    return model.with_name(model.stem + KEPT)


def student_target(model: Path, clip: Path) -> Path:
    """The file that a training on a clip writes: one for each clip, so that its working folder fits when it continues."""
    return kept_folder(model) / f"student-{clip.stem}.onnx"


def student_candidates(student: Student, requests: Sequence[RuntimeRequest], catalog: PluginCatalog) -> list[Candidate]:
    """A student in every setting of the runtimes that read its file, on whole frames, for which alone it was trained."""
    candidates = []
    for request in requests:
        if student.file.suffix.lower() not in request.info.reads:
            continue
        factory = catalog.factory(request.info)
        settings = factory.settings(student.file) if issubclass(factory, Network) else [Setting("auto", "auto")]
        candidates += [
            Candidate(
                runtime=request.info.name,
                precision=setting.precision,
                device=setting.device,
                path=student.file,
                student=student.name,
            )
            for setting in settings
        ]
    return candidates


def beyond_the_bound(table: Sequence[Trial], winner: Trial, goal: Goal, max_error: float) -> str:
    """What to say of a student that would be faster than the winner and is not within the bound; empty if there is none."""
    faster = [
        trial
        for trial in table
        if trial.candidate.student
        and not trial.failure
        and max_error < trial.p95_px < math.inf
        and trial.time(goal) < winner.time(goal)
    ]
    if not faster:
        return ""
    nearest = min(faster, key=lambda trial: trial.p95_px)
    bound = math.ceil(10 * nearest.p95_px) / 10
    return (
        f"{nearest.candidate.label} is faster, but {nearest.p95_px:.2f} px off, more than the {max_error:g} px allowed: with "
        f"--max-error {bound:g} it may win"
    )
