"""`dlclive info`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from dlclive_core.cli.output import print_json, print_table
from dlclive_core.data.preparation import Preparation
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


def _profile(file: Path) -> tuple[Profile | None, str]:
    """The active profile and a note about it; for an outdated profile, None and the reason."""
    try:
        profile = find_profile(file, "auto")
    except UsageError as error:
        return None, str(error)
    if profile is None:
        return None, ""
    return profile, f"{profile.path}: {profile.label}; created {profile.created[:10]} from {profile.clip}"
