"""A profile as JSON: written whole, read strictly."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from dlclive_core.errors import UsageError
from dlclive_core.profiles.json_fields import Fields
from dlclive_core.profiles.machine import Machine
from dlclive_core.profiles.profile import PROFILE_VERSION, Measured, Profile, Variant
from dlclive_core.regions import FollowingCropSpec

_MOST_BYTES = 1 << 22


def profile_to_json(profile: Profile) -> str:
    """The text of the file. Infinite errors are "inf"."""
    values = asdict(replace(profile, path=None))
    del values["path"]
    if profile.variant is not None:
        values["variant"]["others"] = [{"file": file, "sha256": digest} for file, digest in profile.variant.others]
    return json.dumps({"dlclive_profile": PROFILE_VERSION, **_plain(values)}, indent=1) + "\n"


def read_profile(path: Path) -> Profile:
    """Read a profile.

    Raises:
        UsageError: it cannot be read, or is not one: what is wrong, where, and what to do.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path} is no profile: it is larger than any")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"no such profile: {path}; dlclive tune makes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read the profile {path}: {getattr(error, 'strerror', None) or 'it is no text'}"
        ) from None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no profile: it is no JSON ({error}); tune again, or pass --profile none") from None
    return replace(_profile(Fields(values, path)), path=path)


def _profile(found: Fields) -> Profile:
    version = found.whole("dlclive_profile")
    if not 1 <= version <= PROFILE_VERSION:
        raise found.wrong(
            f"it has version {version}, this dlclive-core reads versions 1 to {PROFILE_VERSION}"
            + (": update dlclive-core" if version > PROFILE_VERSION else "")
        )
    profile = Profile(
        model=found.text("model"),
        sha256=found.digest("sha256"),
        machine=_machine(found.inner("machine")),
        runtime=found.text("runtime"),
        device=found.text("device"),
        precision=found.text("precision"),
        options=_options(found.inner("options")),
        variant=_variant(inner) if (inner := found.inner_or_none("variant")) else None,
        resize=found.number("resize", least=0, above=True),
        follow=_following(inner, version) if (inner := found.inner_or_none("follow")) else None,
        clip=found.text("clip", empty=True),
        max_error=found.number_or_none("max_error"),
        goal=found.one_of("goal", ("p50", "p99")),
        created=found.text("created", empty=True),
        versions={name: str(value) for name, value in found.inner("versions").take_all().items()},
        table=tuple(_measured(row) for row in found.rows("table")),
    )
    found.done()
    return profile


def _machine(found: Fields) -> Machine:
    machine = Machine(
        found.text("processor", empty=True),
        found.whole("cores"),
        found.text("system", empty=True),
        tuple(found.texts("gpus")),
    )
    found.done()
    return machine


def _variant(found: Fields) -> Variant:
    file, digest = _file(found)
    others = found.rows("others")
    found.done()
    return Variant(file, digest, tuple(_other(row) for row in others))


def _other(found: Fields) -> tuple[str, str]:
    pair = _file(found)
    found.done()
    return pair


def _file(found: Fields) -> tuple[str, str]:
    return _inside(found, found.text("file")), found.digest("sha256")


def _following(found: Fields, version: int) -> FollowingCropSpec:
    window = found.wholes_or_none("window", 2)
    following = FollowingCropSpec(
        threshold=found.number("threshold", least=0),
        margin=found.number("margin", least=0),
        window=None if window is None else (window[0], window[1]),
        at_once=found.truth("at_once"),
        align=found.whole("align"),
        rotates=found.truth("rotates" if version > 1 else "turns"),
    )
    found.done()
    try:
        following.region()
    except UsageError as error:
        raise found.wrong(str(error)) from None
    return following


def _measured(found: Fields) -> Measured:
    measured = Measured(
        label=found.text("label"),
        p50_ms=found.number_or_none("p50_ms"),
        p99_ms=found.number_or_none("p99_ms"),
        p95_px=found.number_or_none("p95_px"),
        lost=found.whole("lost"),
        frames=found.whole("frames"),
        why=found.text("why", empty=True),
    )
    found.done()
    return measured


def _options(found: Fields) -> dict[str, Any]:
    options = found.take_all()
    for name, value in options.items():
        if not name.isidentifier() or not isinstance(value, str | int | float | bool):
            raise found.wrong(f"options.{name} is no option")
    return options


def _inside(found: Fields, text: str) -> str:
    """A path below the profile's folder: a profile must not lead anywhere else."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or PureWindowsPath(text).drive:
        raise found.wrong(f"{text!r} is not below its folder")
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf"
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
