"""Which profile counts for a model, if any does."""

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
_THEN = "run dlclive tune again, or pass --profile none"


def profile_of(model: Path, wanted: str | Path | Profile | None, *, how_is_given: bool = False) -> Profile | None:
    """The profile that counts for a model's file; a notice is logged where one is there and does not count.

    Args:
        wanted: "auto": the one beside the model, if it was made on this machine; a file, or a profile: this one; None or
            "none": none.
        how_is_given: whether the caller says the runtime, device or precision: then there is no room for a profile.

    Raises:
        UsageError: it cannot be read, the model or the exported file that it names has changed since, or `how_is_given` and a
            profile is named as well.
    """
    if wanted is None or wanted == NONE:
        return None
    if wanted != AUTO:
        return _named(model, wanted, how_is_given=how_is_given)
    path = profile_path(model)
    if how_is_given or not path.is_file():
        return None
    profile = read_profile(path)
    if sha256(model) != profile.sha256:
        if model.name != profile.model:  # mouse.pt and mouse.onnx share the place
            return None
        raise _changed(model, path)
    if difference := Machine.this().difference(profile.machine):
        _log.warning(
            "%s is not used: it was made on another machine (%s); dlclive tune makes one for this machine",
            path,
            difference,
        )
        return None
    _check_variant(profile)
    return profile


def variant_path(profile: Profile) -> Path | None:
    """The exported file that is loaded in place of the model; None: the model itself."""
    if profile.variant is None:
        return None
    return _folder(profile) / profile.variant.file


def regions_or_own(profile: Profile | None, own: Sequence[Region]) -> tuple[Region, ...]:
    """A profile's regions, or the user's own in place of all of them, with a notice."""
    if profile is None:
        return tuple(own)
    regions = profile.regions()
    if own and regions:
        _log.warning(
            "cropping, dynamic and resize as given: those of the profile are not used (%s was measured with it)",
            profile.label,
        )
    return tuple(own) or regions


def _named(model: Path, wanted: str | Path | Profile, *, how_is_given: bool) -> Profile:
    profile = wanted if isinstance(wanted, Profile) else read_profile(Path(wanted).expanduser())
    name = profile.path or "the profile"
    if how_is_given:
        raise UsageError(f"{name} says runtime, device and precision: give a profile, or these, not both")
    if sha256(model) != profile.sha256:
        if model.name != profile.model:
            raise UsageError(f"{name} is for {profile.model}, not for {model.name}; {_THEN}")
        raise _changed(model, name)
    said_before = wanted is profile
    if not said_before and (difference := Machine.this().difference(profile.machine)):
        _log.warning("%s was made on another machine (%s): something else may be faster here", name, difference)
    _check_variant(profile)
    return profile


def _changed(model: Path, profile: Path | str) -> UsageError:
    return UsageError(f"{model} has changed since {profile} was made for it; {_THEN}")


def _check_variant(profile: Profile) -> None:
    if profile.variant is None:
        return
    folder, name = _folder(profile), profile.path or "the profile"
    for file, digest in ((profile.variant.file, profile.variant.sha256), *profile.variant.others):
        path = folder / file
        if not path.is_file():
            raise UsageError(f"{path} is not there any more, and {name} loads it in place of the model; {_THEN}")
        if sha256(path) != digest:
            raise UsageError(f"{path} has changed since {name} was made, which loads it in place of the model; {_THEN}")


def _folder(profile: Profile) -> Path:
    if profile.path is None:
        raise UsageError("the profile loads an exported file and was not read from a file beside it: use read_profile")
    return profile.path.parent
