"""Checks what is passed to a session: a text, a class, or one part in place of a list is refused with what to write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from dlclive_core.errors import UsageError
from dlclive_core.machine.known_packages import READ_VIDEO

Part = TypeVar("Part")


def passed_part(value: Part, kind: type, option: str, example: str) -> Part:
    """Return a part unchanged. Raises UsageError for a class, a text, or anything else that is not of this kind.

    Args:
        option: the argument's name.
        example: what to write, for the message.
    """
    refuse_class(value, option)
    if isinstance(value, kind):
        return value
    described = repr(str(value)) if isinstance(value, str | Path) else f"a value of type {type(value).__name__}"
    raise UsageError(f"{option} is {described}, not a {kind.__name__}; write {example}")


def passed_source(value: Part, kind: type) -> Part:
    """A source. Raises UsageError; for a path, with the source that reads it."""
    path = str(value) if isinstance(value, str | Path) else "clip.mp4"
    return passed_part(value, kind, "source", READ_VIDEO.format(repr(path)))


def passed_model(value: Part, kind: type) -> Part:
    """A model. Raises UsageError; for a path, with the call that loads it."""
    path = str(value) if isinstance(value, str | Path) else "mouse.onnx"
    return passed_part(value, kind, "model", f"model=load_model({path!r})")


def passed_list(values: object, option: str) -> tuple[Any, ...]:
    """The parts in a list. Raises UsageError for a part that is not in a list, for a text, and for a class among the parts."""
    if isinstance(values, str | bytes | Path | type) or not isinstance(values, Iterable):
        name = values.__name__ if isinstance(values, type) else type(values).__name__
        part = f"{name}(...)" if not isinstance(values, str | bytes | Path) else repr(values)
        raise UsageError(f"{option} takes a list, and got a single {name}; write {option}=[{part}]")
    parts = tuple(values)
    for part in parts:
        refuse_class(part, option)
    return parts


def refuse_class(value: object, option: str) -> None:
    """Raise UsageError for a class in place of an instance."""
    if isinstance(value, type):
        raise UsageError(f"{option} got the class {value.__name__}; create one: {value.__name__}(...)")
