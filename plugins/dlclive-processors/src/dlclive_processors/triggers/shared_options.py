"""The options that all triggers share, and how a trigger's class takes them over."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from dlclive_core import Output, TriggerEvent


class TriggerOptions(TypedDict, total=False):
    """The keyword arguments of `Trigger`, for `**options` in the constructor of a subclass (PEP 692)."""

    name: str
    min_confidence: float
    debounce: int
    hold: float
    delay: float
    refractory: float
    max_rate: float | None
    max_age: float
    max_gap: float
    armed: bool
    events: Path | None
    overwrite: bool
    on_event: Callable[[TriggerEvent], None] | None
    output: Output | None


def share_options(owner: type, base: type) -> None:
    """Spell out the `**options` of a constructor: its signature then lists the base's options, with types and defaults.

    The command line and session files read a component's options from its signature, as `help()` does.
    """
    constructor = vars(owner).get("__init__")
    if constructor is None:
        return
    own = list(inspect.signature(constructor).parameters.values())[1:]
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in own):
        owner.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]  # not that of its base
        return
    types = shared_types()
    named = [parameter for parameter in own if parameter.kind is not parameter.VAR_KEYWORD]
    taken = {parameter.name for parameter in named}
    defaults = inspect.signature(base.__init__).parameters  # type: ignore[misc]
    shared = [defaults[name].replace(kind=inspect.Parameter.KEYWORD_ONLY) for name in types if name not in taken]
    owner.__signature__ = inspect.Signature([*named, *shared])  # type: ignore[attr-defined]
    constructor.__annotations__ = {**types, **constructor.__annotations__}


def shared_types() -> dict[str, Any]:
    """The types of the shared options, by name."""
    return typing.get_type_hints(TriggerOptions)
