"""The profile that applies to a model, and what it replaces: the loaded file and the regions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from dlclive_core.errors import UsageError
from dlclive_core.machine.system import sha256
from dlclive_core.profiles.machine import Machine
from dlclive_core.profiles.profile import Profile, profile_path
from dlclive_core.profiles.profile_json import read_profile
from dlclive_core.regions import Region

_log = logging.getLogger(__name__)

AUTO, NONE = "auto", "none"
_ADVICE = "run dlclive tune again, or pass --profile none"


def find_profile(model: Path, profile: str | Path | Profile | None, *, settings_given: bool = False) -> Profile | None:
    """The profile that applies to a model's file. Logs a warning for a profile beside it that is for another machine.

    Args:
        profile: "auto" for the profile beside the model if it was made on this machine; a file or a Profile for that one;
            None or "none" for no profile.
        settings_given: whether the caller sets runtime, device or precision, which a profile sets too.

    Raises:
        UsageError: the profile cannot be read, the model or the profile's exported file has changed since, or a profile is
            named together with `settings_given`.
    """
    if profile is None or profile == NONE:
        return None
    if profile != AUTO:
        return _named_profile(model, profile, settings_given=settings_given)
    path = profile_path(model)
    if settings_given or not path.is_file():
        return None
    candidate = read_profile(path)
    if sha256(model) != candidate.sha256:
        if model.name != candidate.model:  # mouse.pt and mouse.onnx share mouse.profile.json
            return None
        raise _model_changed(model, path)
    if difference := Machine.this().difference(candidate.machine):
        _log.warning(
            "%s is not used: it was made on another machine (%s); run dlclive tune to make one for this machine",
            path,
            difference,
        )
        return None
    _check_variant(candidate)
    return candidate


def variant_path(profile: Profile) -> Path | None:
    """The exported file that is loaded in place of the model; None for the model itself."""
    if profile.variant is None:
        return None
    return _folder(profile) / profile.variant.file


def choose_regions(profile: Profile | None, own: Sequence[Region]) -> tuple[Region, ...]:
    """The user's own regions if any, else the profile's. Logs a warning if the profile's regions are overridden."""
    if profile is None:
        return tuple(own)
    regions = profile.regions()
    if own and regions:
        _log.warning(
            "your cropping, dynamic and resize options replace the regions of the profile, which was measured as %s",
            profile.label,
        )
    return tuple(own) or regions


def _named_profile(model: Path, source: str | Path | Profile, *, settings_given: bool) -> Profile:
    profile = source if isinstance(source, Profile) else read_profile(Path(source).expanduser())
    name = profile.path or "the profile"
    if settings_given:
        raise UsageError(f"{name} sets runtime, device and precision: pass a profile or these settings, not both")
    if sha256(model) != profile.sha256:
        if model.name != profile.model:
            raise UsageError(f"{name} is for {profile.model}, not for {model.name}; {_ADVICE}")
        raise _model_changed(model, name)
    is_new = source is not profile  # a Profile object was read, and warned about, before
    if is_new and (difference := Machine.this().difference(profile.machine)):
        _log.warning("%s was made on another machine (%s): another setting may be faster here", name, difference)
    _check_variant(profile)
    return profile


def _model_changed(model: Path, profile: Path | str) -> UsageError:
    return UsageError(f"{model} has changed since {profile} was made for it; {_ADVICE}")


def _check_variant(profile: Profile) -> None:
    if profile.variant is None:
        return
    folder, name = _folder(profile), profile.path or "the profile"
    for file, digest in ((profile.variant.file, profile.variant.sha256), *profile.variant.others):
        path = folder / file
        if not path.is_file():
            raise UsageError(f"{path}, which {name} loads in place of the model, is missing; {_ADVICE}")
        if sha256(path) != digest:
            raise UsageError(f"{path}, which {name} loads in place of the model, has changed since; {_ADVICE}")


def _folder(profile: Profile) -> Path:
    if profile.path is None:
        raise UsageError(
            "the profile names an exported file relative to its own path, but has no path: use read_profile"
        )
    return profile.path.parent
