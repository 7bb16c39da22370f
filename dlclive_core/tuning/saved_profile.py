"""Saves the profile, its plot and the exported file beside the model; touches no other files."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.deeplabcut.locate import KEPT
from dlclive_core.errors import DataError, OutputExistsError, UsageError
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.machine.files import make_folder, replace_whole, write_whole
from dlclive_core.machine.system import installed_version, sha256, system_info
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.profiles import Machine, Profile, Variant, profile_path, profile_to_json, read_profile
from dlclive_core.tuning.plan import TunePlan
from dlclive_core.tuning.search import SearchResult
from dlclive_core.tuning.student import kept_folder

PICTURE = ".profile.svg"


def check_profile_path(model: Path, *, overwrite: bool) -> Path:
    """Check before the search that the profile can be written; return its path. Raises OutputExistsError, DataError."""
    path = profile_path(model)
    for file in (path, path.with_name(model.stem + PICTURE)):
        if os.path.lexists(file) and not overwrite:
            raise OutputExistsError(f"{file} already exists; pass --overwrite to tune again")
    if not os.access(path.parent, os.W_OK):
        raise DataError(f"cannot write into {path.parent}: the profile is saved beside the model")
    return path


def build_profile(plan: TunePlan, result: SearchResult, catalog: PluginCatalog) -> Profile:
    """Build the profile of a search result, without its exported file."""
    candidate = result.winner.candidate
    runtime = catalog.find(RuntimeInfo, candidate.runtime)
    names = {"dlclive-core", catalog.distribution_of(runtime), "numpy", *runtime.libraries}
    return Profile(
        model=plan.source.name,
        sha256=sha256(plan.source),
        machine=Machine.this(),
        runtime=candidate.runtime,
        device=candidate.device,
        precision=candidate.precision,
        options=dict(candidate.options),
        resize=candidate.resize,
        follow=candidate.follow,
        clip=plan.frames.name,
        max_error=plan.max_error,
        goal=plan.goal,
        created=datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds"),
        versions={
            "python": str(system_info()["python"]),
            **{name: version for name in sorted(names) if (version := installed_version(name))},
        },
        table=tuple(trial.table_row(plan.max_error) for trial in result.table),
    )


def save_profile(
    plan: TunePlan, result: SearchResult, picture: str, catalog: PluginCatalog, *, overwrite: bool = True
) -> Profile:
    """Write the exported file, the plot, and last the profile, so that it never names a missing file.

    Returns:
        The profile, as `read_profile` returns it.

    Raises:
        OutputExistsError: a profile or plot appeared during the search, and may not be replaced.
        DataError: a file cannot be written.
    """
    path = profile_path(plan.source)
    old = _old_files(path)
    try:
        variant = _keep_variant(plan.source, result.winner.candidate)
        write_whole(plan.source.with_name(plan.source.stem + PICTURE), picture, overwrite=overwrite)
        profile = replace(build_profile(plan, result, catalog), variant=variant)
        write_whole(path, profile_to_json(profile), overwrite=overwrite)
        _remove(old - _files(path.parent, variant))
    except OSError as error:
        raise DataError(f"cannot save the profile of {plan.source}: {error.strerror or error}") from None
    return replace(profile, path=path)


def _keep_variant(source: Path, candidate: Candidate) -> Variant | None:
    if candidate.path == source:
        return None
    kind = "student-" if candidate.student else ""
    folder = kept_folder(source) / f"{kind}{candidate.precision}-{candidate.path.suffix[1:]}"
    make_folder(folder)
    copies = {}
    for file in sorted(candidate.path.parent.iterdir()):
        copies[file.name] = folder / file.name
        replace_whole(copies[file.name], partial(shutil.copyfile, file))
    parts = {file.relative_to(source.parent).as_posix(): sha256(file) for file in copies.values()}
    main = copies[candidate.path.name].relative_to(source.parent).as_posix()
    return Variant(main, parts.pop(main), tuple(sorted(parts.items())), candidate.student)


def _old_files(path: Path) -> set[Path]:
    """The exported files of the previous profile."""
    try:
        return _files(path.parent, read_profile(path).variant)
    except UsageError:
        return set()


def _files(folder: Path, variant: Variant | None) -> set[Path]:
    if variant is None:
        return set()
    return {folder / variant.file, *(folder / file for file, _ in variant.others)}


def _remove(files: set[Path]) -> None:
    """Remove files and the folders that become empty."""
    for file in files:
        if KEPT not in file.parent.parent.suffix:
            continue  # an edited profile: not our file to remove
        file.unlink(missing_ok=True)
        for folder in (file.parent, file.parent.parent):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
