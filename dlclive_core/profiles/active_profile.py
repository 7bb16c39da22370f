"""The profile that applies to a model, if any, and what it replaces: the file that is loaded, the regions."""

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
    """The profile that applies to a model's file. Logs a warning if one lies beside it that was made on another machine.

    Args:
        profile: "auto": the one beside the model, if it was made on this machine; a file, or a profile: this one; None or
            "none": no profile.
        settings_given: whether the caller sets runtime, device or precision; a profile would set the same.

    Raises:
        UsageError: the profile cannot be read, the model or the exported file that it names has changed since, or a profile
            is named together with `settings_given`.
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
            "%s is not used: it was made on another machine (%s); dlclive tune makes one for this machine",
            path,
            difference,
        )
        return None
    _check_variant(candidate)
    return candidate


def variant_path(profile: Profile) -> Path | None:
    """The exported file that is loaded in place of the model; None: the model itself."""
    if profile.variant is None:
        return None
    return _folder(profile) / profile.variant.file


def choose_regions(profile: Profile | None, own: Sequence[Region]) -> tuple[Region, ...]:
    """The user's own regions if there are any, else the profile's. Logs a warning if the profile's are not used."""
    if profile is None:
        return tuple(own)
    regions = profile.regions()
    if own and regions:
        _log.warning(
            "your cropping, dynamic and resize replace those of the profile, which was measured as %s",
            profile.label,
        )
    return tuple(own) or regions


def _named_profile(model: Path, named: str | Path | Profile, *, settings_given: bool) -> Profile:
    profile = named if isinstance(named, Profile) else read_profile(Path(named).expanduser())
    name = profile.path or "the profile"
    if settings_given:
        raise UsageError(f"{name} sets runtime, device and precision: give a profile, or these, not both")
    if sha256(model) != profile.sha256:
        if model.name != profile.model:
            raise UsageError(f"{name} is for {profile.model}, not for {model.name}; {_ADVICE}")
        raise _model_changed(model, name)
    was_read_before = named is profile  # and warned about then
    if not was_read_before and (difference := Machine.this().difference(profile.machine)):
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
            raise UsageError(f"{path} is missing, which {name} loads in place of the model; {_ADVICE}")
        if sha256(path) != digest:
            raise UsageError(f"{path}, which {name} loads in place of the model, has changed since; {_ADVICE}")


def _folder(profile: Profile) -> Path:
    if profile.path is None:
        raise UsageError("the profile loads an exported file, but was not read from a file beside it: use read_profile")
    return profile.path.parent
