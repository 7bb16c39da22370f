"""`dlclive tune`: finds the fastest way to run a model on this machine and saves it as a profile beside the model."""

from __future__ import annotations

import math
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dlclive_core.cli.argument_order import check_order
from dlclive_core.cli.measure.progress import show_measurement
from dlclive_core.cli.measure.tune_picture import tune_picture
from dlclive_core.cli.measure.tune_student import StudentToTry, check_minutes, train_student
from dlclive_core.cli.output import complain, print_json, print_table, stderr, stdout
from dlclive_core.deeplabcut.locate import locate_model
from dlclive_core.errors import UsageError
from dlclive_core.machine.file_lock import only_writer
from dlclive_core.machine.system import system_info
from dlclive_core.models.load import load_model, model_suffixes
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.sources import source_for
from dlclive_core.profiles import Profile
from dlclive_core.tuning import (
    Budget,
    SearchResult,
    Trial,
    TunePlan,
    beyond_the_bound,
    check_plan,
    check_profile_path,
    save_profile,
    search,
    split_clip,
    split_unseen,
)
from dlclive_core.tuning.saved_profile import PICTURE
from dlclive_core.tuning.trial import Goal

_MAX_ERROR = 0.5
"""Pixels, unless the user gives another bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOptions:
    """The options of `dlclive tune`. `max_error` and `distill_minutes` are None if the user has not given them."""

    model: str
    video: Path
    max_error: float | None
    goal: Goal
    seconds: float
    frames: int
    overwrite: bool
    json: bool
    distill: bool = False
    distill_minutes: float | None = None


def parse_goal(text: str) -> Goal:
    """Read `--goal`, the latency percentile to minimise. Raises UsageError."""
    if text not in ("p50", "p99"):
        raise UsageError(f"--goal takes p50 or p99; got {text!r}")
    return "p50" if text == "p50" else "p99"


def run_tune(options: TuneOptions) -> None:
    """Search, print the result, and write the profile."""
    max_error = _MAX_ERROR if options.max_error is None else options.max_error
    check_plan(max_error, options.seconds)
    check_minutes(options.distill_minutes, distill=options.distill)
    catalog = PluginCatalog.installed()
    check_order("tune", options.model, [options.video], catalog)
    source = locate_model(options.model, model_suffixes(catalog))
    with (
        only_writer(check_profile_path(source, overwrite=options.overwrite)),
        tempfile.TemporaryDirectory(prefix="dlclive-tune-") as folder,
    ):
        check_profile_path(
            source, overwrite=options.overwrite
        )  # another search may have ended before the lock was ours
        try:
            trained = _train(options, source, Path(folder) / "student", catalog) if options.distill else None
            plan, result = _search(options, source, max_error, trained, Path(folder), catalog)
        except KeyboardInterrupt:
            complain("interrupted before a setting was measured: no profile was written")
            raise SystemExit(130) from None
        picture = tune_picture(plan, result, _machine())
        profile = save_profile(plan, result, picture, catalog, overwrite=options.overwrite)
    if options.json:
        print_json(_facts(plan, result, profile, trained))
    else:
        _print(plan, result, profile)
    for path in (profile.path, source.with_name(source.stem + PICTURE)):
        stderr().print(f"written: {path}", markup=False)
    if result.interrupted:
        raise SystemExit(130)


def _train(options: TuneOptions, source: Path, folder: Path, catalog: PluginCatalog) -> StudentToTry:
    return train_student(
        source,
        options.video,
        folder,
        minutes=options.distill_minutes,
        max_error=options.max_error,
        catalog=catalog,
    )


def _search(
    options: TuneOptions,
    source: Path,
    max_error: float,
    trained: StudentToTry | None,
    folder: Path,
    catalog: PluginCatalog,
) -> tuple[TunePlan, SearchResult]:
    """Try every way to run the model, and its student, if there is one."""
    budget = Budget(options.seconds)
    student = None if trained is None else trained.student
    if trained is None or student is None:
        frames = split_clip(lambda: source_for(options.video, catalog), options.frames)
    else:
        frames = split_unseen(lambda: source_for(options.video, catalog), options.frames, trained.unseen_from)
    with load_model(source, profile=None, catalog=catalog) as model:
        card = model.card
    plan = TunePlan(
        source=source,
        card=card,
        frames=frames,
        max_error=max_error,
        goal=options.goal,
        seconds=options.seconds,
        student=student,
    )
    with show_measurement() as (report_step, on_progress):
        result = search(plan, folder, catalog=catalog, report_step=report_step, on_progress=on_progress, budget=budget)
    if trained is None:
        return plan, result
    beyond = beyond_the_bound(result.table, result.winner, plan.goal, plan.max_error)
    notes = (*trained.notes, *result.notes, *([beyond] if beyond else []))
    return plan, replace(result, notes=notes, interrupted=result.interrupted or trained.distilled.interrupted)


def _print(plan: TunePlan, result: SearchResult, profile: Profile) -> None:
    model = f"{plan.source.name} on {plan.frames.name}"
    title = f"{model}: errors against {result.reference}, {result.confident} confident keypoints"
    header = ("", "candidate", "p50 ms", "p99 ms", "p95 px", "lost", "frames", "")
    print_table(title, header, [_row(trial, plan, winner=trial is result.winner) for trial in result.table])
    for note in result.notes:
        stdout().print(note, markup=False)
    winner = result.winner
    lost = (
        f"; loses the animal in {winner.lost} of {winner.frames} frames" if winner.candidate.follow is not None else ""
    )
    stdout().print(
        f"chosen: {profile.label}{_in_place(plan, profile)}, {1000 * winner.p50:.2f} ms per frame, error {_pixels(winner)} "
        f"px{lost}. load_model, dlclive analyze and dlclive run now use this profile; --profile none switches it off.",
        markup=False,
    )


def _in_place(plan: TunePlan, profile: Profile) -> str:
    return f", which answers in place of {plan.source.name}" if profile.student else ""


def _row(trial: Trial, plan: TunePlan, *, winner: bool) -> tuple[str, ...]:
    row = trial.table_row(plan.max_error)
    if trial.failure:
        return ("", row.label, "-", "-", "-", "-", "-", trial.failure)
    lost = str(trial.lost) if trial.candidate.follow is not None or trial.lost else "-"
    mark = "*" if winner else ""
    return (
        mark,
        row.label,
        f"{1000 * trial.p50:.2f}",
        f"{1000 * trial.p99:.2f}",
        _pixels(trial),
        lost,
        str(trial.frames),
        row.why,
    )


def _pixels(trial: Trial) -> str:
    if math.isnan(trial.p95_px):
        return "-"
    return f"{trial.p95_px:.3f}" if math.isfinite(trial.p95_px) else "not found"


def _facts(plan: TunePlan, result: SearchResult, profile: Profile, trained: StudentToTry | None) -> dict[str, Any]:
    values = {name: value for name, value in asdict(profile).items() if name not in ("path", "table")}
    return {
        "profile": str(profile.path),
        "picture": str(plan.source.with_name(plan.source.stem + PICTURE)),
        "chosen": profile.label,
        "reference": result.reference,
        "confident_keypoints": result.confident,
        "notes": list(result.notes),
        "student": None if trained is None else trained.to_dict(),
        **values,
        "table": [{**asdict(row), "p95_px": "inf" if row.p95_px == math.inf else row.p95_px} for row in profile.table],
    }


def _machine() -> str:
    return str(system_info()["processor"])
