"""The JSON of a model card, checked field by field: a card comes from a file, and the file from anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.data.json_fields import JsonFields
from dlclive_core.data.name_checks import LONGEST_NAME, LONGEST_SCORER
from dlclive_core.data.preparation import POSITIONS, Preparation
from dlclive_core.data.skeleton import Skeleton
from dlclive_core.data.student_facts import LONGEST_FILE_NAME, MOST_COUNTED, MOST_PIXELS, StudentFacts
from dlclive_core.errors import ModelError, UsageError

LONGEST_CARD = 2 << 20
"""Characters. That of a model with 39 keypoints has about 2000."""

_HEX = re.compile(r"[0-9a-f]{0,64}")
_MOST_PADDED = 1 << 14


def read_card_values(text: str, newest: int, where: str) -> dict[str, Any]:
    """The arguments of a `ModelCard`; fields that are missing have its defaults, fields that are unknown are ignored.

    Args:
        text: of the JSON.
        newest: version that is read.
        where: the file, for messages.

    Raises:
        ModelError: `where`, the field, and what was expected.
    """

    def failure(problem: str) -> ModelError:
        return ModelError(f"the card of {where} cannot be read: {problem}; export the model again")

    if len(text) > LONGEST_CARD:
        raise failure(f"it has {len(text)} characters, and no card has more than {LONGEST_CARD}")
    try:
        fields = JsonFields(json.loads(text), failure)
    except (ValueError, RecursionError) as error:
        raise failure(f"it is not JSON ({error})") from None
    version = fields.integer("card_version", 1, 1 << 30)
    if version > newest:
        raise ModelError(
            f"the card of {where} has version {version}, newer than this dlclive-core: update dlclive-core"
        )
    values: dict[str, Any] = {
        "net_type": _text(fields, "net_type"),
        "skeleton": _skeleton(fields.object("skeleton")),
    }
    values |= {name: read(fields, name) for name, read in _OPTIONAL.items() if name in fields}
    return values


def _skeleton(fields: JsonFields) -> Skeleton:
    keypoints = fields.value("keypoints")
    edges = fields.value("edges") if "edges" in fields else []
    if not isinstance(keypoints, list) or not keypoints:
        raise fields.error("skeleton.keypoints must be a list of names")
    try:
        return Skeleton(tuple(keypoints), _edges(edges))
    except UsageError as error:
        raise fields.error(f"skeleton: {error}") from None


def _assembly(fields: JsonFields, name: str) -> AssemblyRules | None:
    values = fields.value(name)
    if values is None:
        return None
    if not isinstance(values, dict):
        raise fields.error(f"{name} must be an object or null")
    try:
        return AssemblyRules.from_dict(values)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise fields.error(f"{name}: {reason}") from None


def _preparation(fields: JsonFields, name: str) -> Preparation | None:
    inner = fields.object_or_none(name)
    if inner is None:
        return None
    read: dict[str, Callable[[str], Any]] = {
        "resize": lambda key: _size_or_none(inner, key),
        "keep_ratio": inner.boolean,
        "longest_side": lambda key: None if inner.take_if_none(key) else inner.integer(key, 1, _MOST_PADDED),
        "min_size": lambda key: tuple(inner.integers(key, 2, least=0, most=_MOST_PADDED)),
        "divisor": lambda key: tuple(inner.integers(key, 2, least=1, most=_MOST_PADDED)),
        "position": lambda key: inner.one_of(key, POSITIONS),
        "border": lambda key: None if inner.take_if_none(key) else tuple(inner.integers(key, 3, least=0, most=255)),
    }
    values = {key: value(key) for key, value in read.items() if key in inner}
    inner.check_empty()  # an unknown entry may change poses
    return Preparation(**values)


def _student(fields: JsonFields, name: str) -> StudentFacts | None:
    """Unknown entries are ignored: none changes a pose."""
    inner = fields.object_or_none(name)
    if inner is None:
        return None
    values: dict[str, Any] = {
        "teacher": inner.text("teacher", most=LONGEST_FILE_NAME),
        "teacher_sha256": inner.digest("teacher_sha256"),
        "videos": tuple(inner.texts("videos")),
        "student": _text(inner, "student"),
    }
    values |= {key: inner.integer(key, 0, MOST_COUNTED) for key in ("frames", "steps", "seed")}
    values |= {key: _pixels(inner, key) for key in ("median_px", "p95_px", "p99_px")}
    values |= {key: inner.number(key, least=0, most=1) for key in ("lost", "hallucinated")}
    for key in ("human_px", "teacher_human_px"):
        if key in inner and not inner.take_if_none(key):
            values[key] = _pixels(inner, key)
    try:
        return StudentFacts(**values)
    except ValueError as error:  # of __post_init__
        raise fields.error(f"{name}: {error}") from None


def _edges(values: Any) -> tuple[tuple[int, int], ...]:
    """As tuples; what is not a list of lists stays as it is, for the skeleton to refuse."""
    if not isinstance(values, list):
        raise UsageError("edges must be a list of pairs")
    return tuple(tuple(edge) if isinstance(edge, list) else edge for edge in values)


def _names(fields: JsonFields, name: str) -> tuple[str, ...]:
    return tuple(fields.texts(name))  # further checked by the card


def _text(fields: JsonFields, name: str) -> str:
    return fields.text(name, most=LONGEST_NAME)


def _hexadecimal(fields: JsonFields, name: str) -> str:
    value = fields.text(name, empty=True)
    if not _HEX.fullmatch(value):
        raise fields.error(f"{name} must be up to 64 hexadecimal digits")
    return value


def _size_or_none(fields: JsonFields, name: str) -> tuple[int, ...] | None:
    if fields.take_if_none(name):
        return None
    return tuple(fields.integers(name, 2, least=1, most=MOST_PIXELS))


def _one_of(*known: str) -> Callable[[JsonFields, str], str]:
    return lambda fields, name: fields.one_of(name, known)


def _pixels(fields: JsonFields, name: str) -> float:
    return fields.number(name, least=0, most=MOST_PIXELS)


_OPTIONAL: dict[str, Callable[[JsonFields, str], Any]] = {
    "individuals": _names,
    "multi_animal": JsonFields.boolean,
    "unique_keypoints": _names,
    "method": _one_of("bottom-up", "top-down", "conditional"),
    "scorer": lambda fields, name: fields.text(name, empty=True, most=LONGEST_SCORER),
    "stride": lambda fields, name: fields.number(name, least=0, above=True, most=MOST_PIXELS),
    "normalisation": _one_of("imagenet", "unit", "none"),
    "pad_divisor": lambda fields, name: tuple(fields.integers(name, 2, least=1, most=_MOST_PADDED)),
    "preparation": _preparation,
    "input_size": _size_or_none,
    "crop_margin": _pixels,
    "crop_context": JsonFields.boolean,
    "condition_margin": _pixels,
    "assembly": _assembly,
    "identity": JsonFields.boolean,
    "detector_sha256": _hexadecimal,
    "format": lambda fields, name: fields.text(name, empty=True, most=LONGEST_NAME),
    "precision": _text,
    "source_sha256": _hexadecimal,
    "student": _student,
}
"""How each field is read, besides those that every card has."""
