"""A profile as JSON. Reading is strict: an unknown or missing field is an error."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from dlclive_core.data.json_fields import JsonFields
from dlclive_core.errors import UsageError, shown
from dlclive_core.profiles.machine import Machine
from dlclive_core.profiles.profile import PROFILE_VERSION, Profile, TableRow, Variant
from dlclive_core.regions import FollowingCropSpec

_MOST_BYTES = 1 << 22
_LARGEST_NUMBER = 4096  # of an option, such as a number of threads: a million of them would end the program
_LONGEST_TEXT = 64
_SIZE_IN_LABEL = re.compile(r"\b(at|following|or) (\d+)x(\d+)")


def profile_to_json(profile: Profile) -> str:
    """The text of a profile's file. Infinite errors are written as "inf"."""
    values = asdict(replace(profile, path=None))
    del values["path"]
    if profile.variant is not None:
        values["variant"]["others"] = [{"file": file, "sha256": digest} for file, digest in profile.variant.others]
    return json.dumps({"dlclive_profile": PROFILE_VERSION, **_plain(values)}, indent=1) + "\n"


def read_profile(path: Path) -> Profile:
    """Read a profile of any format version so far.

    Raises:
        UsageError: the file cannot be read or is not a valid profile; the message names the field and a remedy.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path} is not a profile: the file is too large")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"no such profile: {path}; run dlclive tune to make one") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise UsageError(f"cannot read the profile {path}: {reason}") from None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is not a valid profile: not JSON ({error}); tune again, or pass --profile none"
        ) from None

    def failure(problem: str) -> UsageError:
        return UsageError(f"{path} is not a valid profile: {problem}; tune again, or pass --profile none")

    return replace(_profile(JsonFields(values, failure)), path=path)


def _profile(fields: JsonFields) -> Profile:
    version = fields.count("dlclive_profile")
    if not 1 <= version <= PROFILE_VERSION:
        raise fields.error(
            f"version {version}; this dlclive-core reads versions 1 to {PROFILE_VERSION}"
            + (": update dlclive-core" if version > PROFILE_VERSION else "")
        )
    profile = Profile(
        model=fields.text("model"),
        sha256=fields.digest("sha256"),
        machine=_machine(fields.object("machine")),
        runtime=fields.text("runtime"),
        device=fields.text("device"),
        precision=fields.text("precision"),
        options=_options(fields.object("options")),
        variant=_variant(variant, version) if (variant := fields.object_or_none("variant")) else None,
        resize=fields.number("resize", least=0, above=True),
        follow=_follow(follow, version) if (follow := fields.object_or_none("follow")) else None,
        clip=fields.text("clip", empty=True),
        max_error=fields.number_or_none("max_error"),
        goal=fields.one_of("goal", ("p50", "p99")),
        created=fields.text("created", empty=True),
        versions=_versions(fields.object("versions")),
        table=tuple(_table_row(row, version) for row in fields.objects("table")),
    )
    fields.check_empty()
    return profile


def _machine(fields: JsonFields) -> Machine:
    machine = Machine(
        fields.text("processor", empty=True),
        fields.count("cores"),
        fields.text("system", empty=True),
        tuple(fields.texts("gpus")),
    )
    fields.check_empty()
    return machine


def _variant(fields: JsonFields, version: int) -> Variant:
    file, digest = _file(fields)
    others = fields.objects("others")
    student = fields.text("student", empty=True) if version > 2 else ""
    fields.check_empty()
    return Variant(file, digest, tuple(_other(row) for row in others), student)


def _other(fields: JsonFields) -> tuple[str, str]:
    file = _file(fields)
    fields.check_empty()
    return file


def _file(fields: JsonFields) -> tuple[str, str]:
    return _check_below(fields, fields.text("file")), fields.digest("sha256")


def _follow(fields: JsonFields, version: int) -> FollowingCropSpec:
    window = fields.integers_or_none("window", 2)  # (width, height) in all versions
    follow = FollowingCropSpec(
        threshold=fields.number("threshold", least=0),
        margin=fields.number("margin", least=0),
        window=None if window is None else (window[0], window[1]),
        at_once=fields.boolean("at_once"),
        align=fields.count("align"),
        rotates=fields.boolean("rotates" if version > 1 else "turns"),
    )
    fields.check_empty()
    try:
        follow.region()
    except UsageError as error:
        raise fields.error(str(error)) from None
    return follow


def _table_row(fields: JsonFields, version: int) -> TableRow:
    label = fields.text("label")
    table_row = TableRow(
        label=label if version > 1 else _SIZE_IN_LABEL.sub(r"\1 \3x\2", label),  # version 1: HEIGHTxWIDTH
        p50_ms=fields.number_or_none("p50_ms"),
        p99_ms=fields.number_or_none("p99_ms"),
        p95_px=fields.number_or_none("p95_px"),
        lost=fields.count("lost"),
        frames=fields.count("frames"),
        why=fields.text("why", empty=True),
    )
    fields.check_empty()
    return table_row


def _options(fields: JsonFields) -> dict[str, Any]:
    options = fields.take_rest()
    for name, value in options.items():
        if not name.isidentifier() or not _is_modest(value):
            raise fields.error(f"options.{shown(name)[1:-1]} is not a valid option")
    return options


def _versions(fields: JsonFields) -> dict[str, str]:
    return {name: fields.text(name) for name in fields.names()}


def _is_modest(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT
    return isinstance(value, int | float) and abs(value) <= _LARGEST_NUMBER  # NaN is not


def _check_below(fields: JsonFields, text: str) -> str:
    """Check that a path is below the profile's folder."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or PureWindowsPath(text).drive:
        raise fields.error(f"{text!r} is not below the folder of the profile")
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf"
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
