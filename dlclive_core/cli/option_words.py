"""The options of a component as a user types them: name, type in words, default."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlclive_core.plugins.specs import type_in_words


@dataclass(frozen=True, slots=True)
class OptionWords:
    """One option of a component.

    Attributes:
        name: as in `name=value`.
        type: in words, such as "a number".
        default: as it is typed; None without one.
        required: whether it must be given.
        unnamed: whether its value may be given without the name: `tables:out.h5`.
    """

    name: str
    type: str
    default: str | None = None
    required: bool = False
    unnamed: bool = False

    def __str__(self) -> str:
        more = "required" if self.required else "" if self.default is None else f"default {self.default}"
        name = f"{self.name}=" if not self.unnamed else f"[{self.name}=]"
        return ", ".join(filter(None, (f"{name:<20} {self.type}", more)))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def options_in_words(factory: Any) -> Sequence[OptionWords]:
    """The options of a component's class. What cannot be typed, such as a function, is left out."""
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except ValueError:  # written in C, without a signature
        return []
    try:
        hints = typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    except Exception:  # names that only a type checker knows
        hints = {}
    words = []
    for place, parameter in enumerate(parameters):
        if parameter.kind is parameter.VAR_KEYWORD:
            words.append(OptionWords("...", "further options, which it checks itself"))
            continue
        annotation = hints.get(parameter.name, str)
        required = parameter.default is parameter.empty
        if _is_function(annotation):
            continue
        default = None if required else _typed(parameter.default)
        words.append(OptionWords(parameter.name, type_in_words(annotation), default, required, unnamed=place == 0))
    return words


def _is_function(annotation: Any) -> bool:
    """Whether it takes a function, and nothing that can be typed."""
    choices = [each for each in (typing.get_args(annotation) or (annotation,)) if each is not type(None)]
    origin = typing.get_origin(annotation)
    return origin is Callable or any(typing.get_origin(each) is Callable for each in choices)


def _typed(value: Any) -> str | None:
    """A default as it is typed; None where it stands for "not given"."""
    if value is None or value == "" or value in ((), []):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Path):
        return str(value)
    if isinstance(value, tuple | list):
        return json.dumps(list(value), separators=(",", ":"), default=str)
    return f"{value:g}" if isinstance(value, float) else str(value)
