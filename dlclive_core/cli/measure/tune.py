"""`dlclive tune`: finds the fastest way to run a model on this machine and saves it as a profile beside the model."""

from __future__ import annotations

import math
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlclive_core.cli.measure.progress import show_measurement
from dlclive_core.cli.measure.tune_picture import tune_picture
from dlclive_core.cli.output import print_json, print_table, stderr, stdout
from dlclive_core.deeplabcut.locate import locate_model
from dlclive_core.errors import UsageError
from dlclive_core.machine.file_lock import only_writer
from dlclive_core.machine.system import system_info
from dlclive_core.models.load import load_model, model_suffixes
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.sources import source_for
from dlclive_core.profiles import Profile
from dlclive_core.tuning import (
    SearchResult,
    Trial,
    TunePlan,
    check_plan,
    check_profile_path,
    save_profile,
    search,
    split_clip,
)
from dlclive_core.tuning.saved_profile import PICTURE
from dlclive_core.tuning.trial import Goal


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOptions:
    """The options of `dlclive tune`."""

    model: str
    video: Path
    max_error: float
    goal: Goal
    seconds: float
    frames: int
    overwrite: bool
    json: bool


def parse_goal(text: str) -> Goal:
    """Read `--goal`, the latency percentile to minimise. Raises UsageError."""
    if text not in ("p50", "p99"):
        raise UsageError(f"--goal takes p50 or p99; got {text!r}")
    return "p50" if text == "p50" else "p99"


def run_tune(options: TuneOptions) -> None:
    """Search, print the result, and write the profile."""
    check_plan(options.max_error, options.seconds)
    catalog = PluginCatalog.installed()
    source = locate_model(options.model, model_suffixes(catalog))
    with only_writer(check_profile_path(source, overwrite=options.overwrite)):
        check_profile_path(
            source, overwrite=options.overwrite
        )  # another search may have ended before the lock was ours
        _tune(options, source, catalog)


def _tune(options: TuneOptions, source: Path, catalog: PluginCatalog) -> None:
    frames = split_clip(lambda: source_for(options.video, catalog), options.frames)
    with load_model(source, profile=None, catalog=catalog) as model:
        card = model.card
    plan = TunePlan(
        source=source,
        card=card,
        frames=frames,
        max_error=options.max_error,
        goal=options.goal,
        seconds=options.seconds,
    )
    with (
        tempfile.TemporaryDirectory(prefix="dlclive-tune-") as folder,
        show_measurement() as (report_step, on_progress),
    ):
        result = search(plan, Path(folder), catalog=catalog, report_step=report_step, on_progress=on_progress)
        picture = tune_picture(plan, result, _machine())
        profile = save_profile(plan, result, picture, catalog, overwrite=options.overwrite)
    if options.json:
        print_json(_facts(plan, result, profile))
    else:
        _print(plan, result, profile)
    for path in (profile.path, source.with_name(source.stem + PICTURE)):
        stderr().print(f"written: {path}", markup=False)


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
        f"chosen: {profile.label}, {1000 * winner.p50:.2f} ms per frame, error {_pixels(winner)} px{lost}. load_model, "
        "dlclive analyze and dlclive run now use this profile; --profile none switches it off.",
        markup=False,
    )


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


def _facts(plan: TunePlan, result: SearchResult, profile: Profile) -> dict[str, Any]:
    values = {name: value for name, value in asdict(profile).items() if name not in ("path", "table")}
    return {
        "profile": str(profile.path),
        "picture": str(plan.source.with_name(plan.source.stem + PICTURE)),
        "chosen": profile.label,
        "reference": result.reference,
        "confident_keypoints": result.confident,
        "notes": list(result.notes),
        **values,
        "table": [{**asdict(row), "p95_px": "inf" if row.p95_px == math.inf else row.p95_px} for row in profile.table],
    }


def _machine() -> str:
    return str(system_info()["processor"])
