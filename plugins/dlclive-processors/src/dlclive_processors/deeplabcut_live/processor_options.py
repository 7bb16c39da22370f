"""The options of a processor in a user's file: declared in `PROCESSOR_PARAMS`, or read from its constructor."""

from __future__ import annotations

import inspect
import logging
import typing
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from dlclive_core import PluginError, UsageError, nearest
from dlclive_processors.deeplabcut_live.option_types import (
    TYPES,
    Kinds,
    converted,
    kinds_of_annotation,
    kinds_of_default,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Option:
    """One option. `passed` holds a default that the constructor does not know, by the option's name."""

    kinds: Kinds
    has_default: bool
    passed: Mapping[str, Any] = field(default_factory=dict)


def constructor_arguments(cls: type[Any], given: Mapping[str, object], where: str) -> dict[str, Any]:
    """The keyword arguments for the constructor of a processor.

    If the class has `PROCESSOR_PARAMS`, as for DeepLabCut-live-GUI, its options are those, with their types and defaults.
    Otherwise they are the constructor's, with the types of its annotations, or else of its defaults.

    Args:
        given: option -> its text, or, from Python, its value.
        where: the class, for messages: "mouse.py::Reward".

    Raises:
        UsageError: an option is unknown, missing, or has a wrong value.
        PluginError: `PROCESSOR_PARAMS` is not as it must be.
    """
    declared = getattr(cls, "PROCESSOR_PARAMS", None)
    if declared is not None:
        options, takes_any = _declared_options(declared, where), False
    else:
        options, takes_any = _constructor_options(cls)
    arguments = {name: deepcopy(value) for option in options.values() for name, value in option.passed.items()}
    for name, value in given.items():
        option = options.get(name)
        if option is None and not takes_any:
            advice = nearest(name, options) if options else "it takes none"
            raise UsageError(f"{where} has no option {name!r}: {advice}")
        if option is None:
            _warn_of_a_slip(name, options, where)
        kinds = option.kinds if option is not None else ()
        arguments[name] = converted(value, kinds, f"option {name!r} of {where}")
    for name, option in options.items():
        if not option.has_default and name not in given:
            raise UsageError(f"{where} needs the option {name!r}: add {name}=...")
    return arguments


def _declared_options(declared: object, where: str) -> dict[str, _Option]:
    """The options in `PROCESSOR_PARAMS`: name -> {"type": ..., "default": ..., "description": ...}."""
    if not isinstance(declared, Mapping):
        raise PluginError(
            f"PROCESSOR_PARAMS of {where} is a {type(declared).__name__}, not a dict: "
            "name -> {'type', 'default', 'description'}"
        )
    options = {}
    for name, entry in declared.items():
        if not isinstance(name, str) or not isinstance(entry, Mapping):
            raise PluginError(
                f"PROCESSOR_PARAMS of {where} has the entry {name!r}: {entry!r:.60}, which is not name -> "
                "{'type', 'default', 'description'}"
            )
        has_default = "default" in entry
        kinds = kinds_of_default(entry.get("default"))
        if (kind := entry.get("type")) is not None:
            known = TYPES.get(kind) if isinstance(kind, str) else kind if kind in TYPES.values() else None
            if known is None:
                shown = kind.__name__ if isinstance(kind, type) else repr(kind)
                raise PluginError(
                    f"PROCESSOR_PARAMS[{name!r}] of {where} has the type {shown:.60}; it must be one of {', '.join(TYPES)}"
                )
            kinds = (known, type(None)) if has_default and entry["default"] is None else (known,)
        options[name] = _Option(kinds, has_default, {name: entry["default"]} if has_default else {})
    return options


def _constructor_options(cls: type[Any]) -> tuple[dict[str, _Option], bool]:
    """The options of a constructor, and whether it takes any other, too.

    What it takes as `**kwargs` is for the constructors of its base classes: theirs are options as well.
    """
    options: dict[str, _Option] = {}
    constructors = [base.__dict__["__init__"] for base in cls.__mro__[:-1] if "__init__" in base.__dict__]
    for number, constructor in enumerate(constructors):
        try:
            parameters = list(inspect.signature(constructor).parameters.values())[1:]
        except (TypeError, ValueError):  # written in C, without a signature
            return options, True
        hints = _hints(constructor)
        for parameter in parameters:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                has_default = parameter.default is not parameter.empty
                kinds = kinds_of_annotation(hints[parameter.name]) if parameter.name in hints else None
                if kinds is None:
                    kinds = kinds_of_default(parameter.default) if has_default else ()
                # what a base class needs, the subclass may pass on by itself
                options.setdefault(parameter.name, _Option(kinds, has_default or number > 0))
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return options, False
    return options, bool(constructors)


def _hints(constructor: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(constructor)
    except Exception:  # an annotation in a user's file may be anything
        return {}


def _warn_of_a_slip(name: str, options: Mapping[str, _Option], where: str) -> None:
    """**kwargs takes every name; one that is nearly that of an option is probably a mistake."""
    close = get_close_matches(name, options, n=1, cutoff=0.8)
    if close:
        _log.warning("option %r is passed on to %s, which does not name it; did you mean %r?", name, where, close[0])
