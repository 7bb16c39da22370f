"""Types of options as users declare them for their processors, and values converted to them."""

from __future__ import annotations

import ast
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlclive_core import UsageError, read_value

TYPES: Mapping[str, type[Any]] = {kind.__name__: kind for kind in (bool, int, float, str, bytes, tuple, dict, list)}
"""The types of `PROCESSOR_PARAMS`, by their names."""

_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    bytes: "text, or bytes such as b'key'",
    tuple: "a list such as [1,2,3]",
    list: "a list such as [1,2,3]",
    dict: "a mapping such as {a: 1}",
    Path: "a path",
}
Kinds = tuple[type[Any], ...]
"""The types that an option may have; empty: any."""


def kinds_of_annotation(annotation: Any) -> Kinds | None:
    """The types of an annotation such as `int | None` or `list[float]`; None for one that says nothing we can use."""
    choices = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    kinds = tuple(typing.get_origin(choice) or choice for choice in choices)
    known = (*TYPES.values(), Path, type(None))
    return kinds if all(kind in known for kind in kinds) else None


def kinds_of_default(default: object) -> Kinds:
    """The types that a default value suggests. A whole number may become any number; None says nothing."""
    kind = type(default)
    if kind is int:
        return (int, float)
    if isinstance(default, Path):
        return (Path,)
    return (kind,) if kind in TYPES.values() else ()


def converted(value: object, kinds: Kinds, label: str) -> Any:
    """A value, or the text that stands for it, as one of these types.

    Raises:
        UsageError: it is none of them; the message begins with the label.
    """
    if not kinds:
        return read_value(value) if isinstance(value, str) else value
    for kind in kinds:
        result, fits = _from_text(value, kind) if isinstance(value, str) else _from_value(value, kind)
        if fits:
            return result
    names = " or ".join(dict.fromkeys(_NAMES[kind] for kind in kinds if kind is not type(None)))
    raise UsageError(f"{label} takes {names}; got {value!r:.80}")


def _from_text(text: str, kind: type[Any]) -> tuple[Any, bool]:
    if kind is str:
        return text, True
    if kind is Path:
        return Path(text), True
    if kind is bool:
        return _WORDS.get(text.lower()), text.lower() in _WORDS
    if kind is type(None):
        return None, text.lower() in ("none", "null", "")
    if kind is bytes:
        literal = _literal(text) if text[:2].lower() in ("b'", 'b"') else None
        return (literal, True) if isinstance(literal, bytes) else (text.encode(), True)
    value = _literal(text) if text.startswith("(") else read_value(text)
    if kind is float and isinstance(value, str):
        try:
            return float(value), True
        except ValueError:
            return None, False
    return _from_value(value, kind)


def _from_value(value: Any, kind: type[Any]) -> tuple[Any, bool]:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value), True
        except OverflowError:
            return None, False
    if kind in (tuple, list) and isinstance(value, list | tuple):
        return kind(value), True
    return value, isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _literal(text: str) -> Any:
    """What a text is in Python: `("0.0.0.0", 6000)`, `b"key"`; None if it is nothing."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)
