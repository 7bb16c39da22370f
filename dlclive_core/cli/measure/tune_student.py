"""The student of `dlclive tune --distill`: trained before anything is measured, and then one more candidate."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dlclive_core.cli.distill_progress import show_distillation
from dlclive_core.cli.output import warn
from dlclive_core.data.option_checks import check_number
from dlclive_core.distillation import Distilled, DistillPlan, distill_model
from dlclive_core.errors import UsageError
from dlclive_core.machine.files import make_folder
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.tuning import Student, student_target


@dataclass(frozen=True, slots=True)
class StudentToTry:
    """What came of the training.

    Attributes:
        distilled: its result.
        student: the candidate; None: it is not within the bound.
        unseen_from: the number of the frame of the clip from which on the student has seen none.
        notes: what to say of it, one line each.
    """

    distilled: Distilled
    student: Student | None
    unseen_from: int
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The training's result for JSON, without its file: the profile names the copy that it keeps."""
        return {name: value for name, value in self.distilled.to_dict().items() if name != "target"}


def check_minutes(minutes: float | None, *, distill: bool) -> None:
    """Raise UsageError for `--distill-minutes` out of range, or without `--distill`."""
    if minutes is not None:
        check_number("--distill-minutes", minutes, above=0)
        if not distill:
            raise UsageError("--distill-minutes is how long --distill trains: pass both, or neither")


def train_student(
    source: Path, clip: Path, folder: Path, *, minutes: float | None, max_error: float | None, catalog: PluginCatalog
) -> StudentToTry:
    """Train a student of a model on a clip.

    Its working folder stays beside the model, so that the same command continues.

    Args:
        source: the model's file.
        folder: where its file goes, which is gone when tuning ends; the profile keeps a copy if it wins.
        minutes, max_error: None for the defaults of `DistillPlan`.

    Raises:
        KeyboardInterrupt: before there was a network to judge.
        DLCLiveError: there is no distiller, or the model or the clip are not for it; before any of the training.
    """
    target = student_target(source, clip)
    plan = DistillPlan(model=source, videos=(clip,), out=target, overwrite=True)
    plan = plan if minutes is None else replace(plan, minutes=minutes)
    plan = plan if max_error is None else replace(plan, max_error=max_error)
    kept = target.parent
    make_folder(kept)
    try:
        with show_distillation() as report:
            distilled = distill_model(plan, report, catalog=catalog)
    finally:
        with suppress(OSError):  # it is not empty: the training has begun, or another file is there
            kept.rmdir()
    for notice in distilled.notices:
        warn(f"warning: {notice}")
    unseen_from = distilled.unseen_from[0] if distilled.unseen_from else None
    stopped = (f"the student's training was stopped after {distilled.steps} steps",) if distilled.interrupted else ()
    if distilled.target is None or unseen_from is None:
        return StudentToTry(distilled, None, 0, (*stopped, _refusal(distilled, plan)))
    file = folder / f"{source.stem}{target.suffix}"
    folder.mkdir()
    shutil.move(distilled.target, file)
    notes = (
        *stopped,
        f"measured on frames of {clip.name} from number {unseen_from} on, which the student has not seen",
        f"the student's working folder, {distilled.folder}, may be deleted; with it, a second --distill continues",
    )
    return StudentToTry(distilled, Student(distilled.student, file), unseen_from, notes)


def _refusal(distilled: Distilled, plan: DistillPlan) -> str:
    error = distilled.judgement.error
    far = f"{error.p95_px:.2f} px from the model" if error.count else "not comparable with the model"
    return (
        f"no student: {distilled.student} is {far} at the 95th percentile on {distilled.judgement.frames} frames that it has "
        f"not seen, and {plan.max_error:g} px are allowed; --overwrite with more --distill-minutes (now {plan.minutes:g}) "
        f"continues in {distilled.folder}, and dlclive distill takes several videos"
    )
