"""`--runtime-option NAME=VALUE`: converts the runtime's own options from text to values."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlclive_core.errors import nearest
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.specs import OptionError, convert_options

_BY_THEMSELVES = (
    "device", "precision", "detector", "detect_every", "min_score", "max_animals", "follow", "conditions"
)  # fmt: skip
_NOT_HERE = ("path", *_BY_THEMSELVES)


def runtime_options(info: RuntimeInfo, texts: Mapping[str, str], catalog: PluginCatalog) -> dict[str, Any]:
    """Arguments for `load_model`, of the types that the runtime's constructor says.

    Raises:
        OptionError: an option that it does not have, with the nearest, or a value of another type.
        PluginError, DependencyError: the runtime cannot be imported; only if there are options.
    """
    return share_options([info], texts, catalog)[0]


def share_options(
    infos: Sequence[RuntimeInfo], texts: Mapping[str, str], catalog: PluginCatalog
) -> list[dict[str, Any]]:
    """For each of several runtimes those of the options that it has. Raises OptionError for one that none of them has."""
    if not texts:
        return [{} for _ in infos]
    factories = [catalog.factory(info) for info in infos]
    known = [_options_of(factory) for factory in factories]
    for name in texts:
        if name in _NOT_HERE or not any(theirs is None or name in theirs for theirs in known):
            raise OptionError(_reason(name, infos, {option for theirs in known for option in theirs or ()}), name)
    return [
        convert_options(
            factory,
            {name: text for name, text in texts.items() if theirs is None or name in theirs},
            f"runtime {info.name!r}",
        )
        for info, factory, theirs in zip(infos, factories, known, strict=True)
    ]


def _options_of(factory: Any) -> list[str] | None:
    """The names of a runtime's further options; None if it takes any and checks for itself."""
    parameters = inspect.signature(factory).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters if parameter.name not in _NOT_HERE]


def _reason(name: str, infos: Sequence[RuntimeInfo], had: Iterable[str]) -> str:
    if name in _BY_THEMSELVES:
        word = name.replace("_", "-")
        return f"{name!r} is not a runtime option: use --{word}, or {name} beside path in a session file"
    names = list(dict.fromkeys(repr(info.name) for info in infos))
    what = f"runtime {names[0]} has no" if len(names) == 1 else f"none of the runtimes {', '.join(names)} has an"
    return f"{what} option {name!r}: {nearest(name, had)}"
