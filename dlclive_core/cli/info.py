"""`dlclive info`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from dlclive_core.cli.output import print_json, print_table
from dlclive_core.data.preparation import Preparation
from dlclive_core.data.student_facts import StudentFacts
from dlclive_core.deeplabcut.locate import locate_model
from dlclive_core.errors import UsageError
from dlclive_core.machine.system import sha256
from dlclive_core.models.load import load_model, model_suffixes
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.profiles import Profile, find_profile


def run_info(path: str, runtime: str | None, *, json: bool) -> None:
    """Load a model and show its card."""
    catalog = PluginCatalog.installed()
    file = locate_model(path, model_suffixes(catalog))
    profile, profile_note = _profile(file)
    with load_model(file, runtime, profile=profile if runtime is None else None, catalog=catalog) as model:
        card, name, device = model.card, model.runtime, model.device
    facts = {
        "file": str(file),
        "bytes": file.stat().st_size,
        "sha256": sha256(file),
        "runtime": name,
        "device": device,
        "profile": profile_note or None,
        **asdict(card),
    }
    if json:
        print_json(facts)
        return
    size = f"fixed, {card.input_size[1]} x {card.input_size[0]}" if card.input_size else "any"
    print_table(
        file.name,
        ("", ""),
        [
            ("network", card.net_type),
            ("method", card.method + (", identifies individuals" if card.identity else "")),
            ("keypoints", ", ".join(card.skeleton.keypoints)),
            ("individuals", ", ".join(card.individuals)),
            *([("unique", ", ".join(card.unique_keypoints))] if card.unique_keypoints else []),
            ("stride", f"{card.stride:g} px"),
            ("input size", size),
            *([("preparation", _in_words(card.preparation))] if card.preparation is not None else []),
            ("normalisation", card.normalisation),
            ("format", f"{card.format}, {card.precision}, {file.stat().st_size / 1e6:.1f} MB"),
            ("scorer", card.scorer),
            *([] if card.student is None else _student_in_words(card.student, len(card.individuals))),
            ("runs on", f"{name}, {device}"),
            *([("profile", profile_note)] if profile_note else []),
        ],
    )


def _in_words(preparation: Preparation) -> str:
    """What is done to images before the network sees them."""
    steps = []
    if preparation.resize is not None:
        height, width = preparation.resize
        steps.append(f"resized to {width} x {height}" + (", ratio kept" if preparation.keep_ratio else ""))
    if preparation.longest_side is not None:
        steps.append(f"longer side {preparation.longest_side} px")
    if preparation.padded((1, 1)) != (1, 1):
        steps.append("padded")
    return "; ".join(steps)


def _student_in_words(student: StudentFacts, animals: int) -> list[tuple[str, str]]:
    """How a student was trained, and how far it is from its teacher."""
    what = "animals" if animals > 1 else "keypoints"
    videos = ", ".join(student.videos[:5]) + (f" and {len(student.videos) - 5} more" if len(student.videos) > 5 else "")
    rows = [
        ("student of", f"{student.teacher}, SHA-256 {student.teacher_sha256[:12]}..."),
        (
            "trained as",
            f"{student.student}, on {student.frames} frames of {videos or 'no video'}; {student.steps} steps, seed "
            f"{student.seed}",
        ),
        (
            "from its teacher",
            f"median {student.median_px:.2f} px, 95 % within {student.p95_px:.2f} px, 99 % within {student.p99_px:.2f} px, "
            "on frames held out",
        ),
        (f"{what} there", f"{student.lost:.2%} lost, {student.hallucinated:.2%} that the teacher does not find"),
    ]
    if student.human_px is not None:
        theirs = "" if student.teacher_human_px is None else f"; its teacher {student.teacher_human_px:.2f} px"
        rows.append(("from people", f"{student.human_px:.2f} px on average{theirs}"))
    return [
        *rows,
        ("guard", "says of each frame how unlike its training it is; --fallback TEACHER answers such frames"),
    ]


def _profile(file: Path) -> tuple[Profile | None, str]:
    """The active profile and a note about it; for an outdated profile, None and the reason."""
    try:
        profile = find_profile(file, "auto")
    except UsageError as error:
        return None, str(error)
    if profile is None:
        return None, ""
    return profile, f"{profile.path}: {profile.label}; created {profile.created[:10]} from {profile.clip}"
