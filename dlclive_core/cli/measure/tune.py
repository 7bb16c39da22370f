"""`dlclive tune`: find the fastest way to run a model here, and leave it beside the model as its profile."""

from __future__ import annotations

import math
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlclive_core.cli.measure.progress import show_measuring
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
    """The options of `dlclive tune`, as given."""

    model: str
    video: Path
    max_error: float
    goal: Goal
    seconds: float
    frames: int
    overwrite: bool
    json: bool


def parse_goal(word: str) -> Goal:
    """The latency percentile to minimise. Raises UsageError."""
    if word not in ("p50", "p99"):
        raise UsageError(f"--goal takes p50 or p99; got {word!r}")
    return "p50" if word == "p50" else "p99"


def run_tune(options: TuneOptions) -> None:
    """Search, show, and write the profile."""
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
    with tempfile.TemporaryDirectory(prefix="dlclive-tune-") as folder, show_measuring() as (tell, on_progress):
        found = search(plan, Path(folder), catalog=catalog, tell=tell, on_progress=on_progress)
        picture = tune_picture(plan, found, _machine())
        profile = save_profile(plan, found, picture, catalog, overwrite=options.overwrite)
    if options.json:
        print_json(_facts(plan, found, profile))
    else:
        _print(plan, found, profile)
    for path in (profile.path, source.with_name(source.stem + PICTURE)):
        stderr().print(f"written: {path}", markup=False)


def _print(plan: TunePlan, found: SearchResult, profile: Profile) -> None:
    title = f"{plan.source.name} on {plan.frames.name}: errors against {found.reference}, {found.confident} confident keypoints"
    header = ("", "candidate", "p50 ms", "p99 ms", "p95 px", "lost", "frames", "")
    print_table(title, header, [_row(one, plan, chosen=one is found.chosen) for one in found.table])
    for note in found.notes:
        stdout().print(note, markup=False)
    chosen = found.chosen
    lost = (
        f"; it loses the animal in {chosen.lost} of {chosen.frames} frames"
        if chosen.candidate.follow is not None
        else ""
    )
    stdout().print(
        f"chosen: {profile.label}, {1000 * chosen.p50:.2f} ms a frame, {_pixels(chosen)} px error{lost}. load_model, "
        "dlclive analyze and dlclive run use it from now on; --profile none switches it off.",
        markup=False,
    )


def _row(one: Trial, plan: TunePlan, *, chosen: bool) -> tuple[str, ...]:
    line = one.measured(plan.max_error)
    if one.failure:
        return ("", line.label, "-", "-", "-", "-", "-", one.failure)
    lost = str(one.lost) if one.candidate.follow is not None or one.lost else "-"
    mark = "*" if chosen else ""
    return (
        mark,
        line.label,
        f"{1000 * one.p50:.2f}",
        f"{1000 * one.p99:.2f}",
        _pixels(one),
        lost,
        str(one.frames),
        line.why,
    )


def _pixels(one: Trial) -> str:
    if math.isnan(one.p95_px):
        return "-"
    return f"{one.p95_px:.3f}" if math.isfinite(one.p95_px) else "not found"


def _facts(plan: TunePlan, found: SearchResult, profile: Profile) -> dict[str, Any]:
    values = {name: value for name, value in asdict(profile).items() if name not in ("path", "table")}
    return {
        "profile": str(profile.path),
        "picture": str(plan.source.with_name(plan.source.stem + PICTURE)),
        "chosen": profile.label,
        "reference": found.reference,
        "confident_keypoints": found.confident,
        "notes": list(found.notes),
        **values,
        "table": [
            {**asdict(line), "p95_px": "inf" if line.p95_px == math.inf else line.p95_px} for line in profile.table
        ],
    }


def _machine() -> str:
    return str(system_info()["processor"])
