"""`--runtime-option NAME=VALUE`: converts a runtime's own options from text to values."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlclive_core.errors import OptionError, nearest
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.specs import convert_options

_CORE_OPTIONS = (
    "device", "precision", "detector", "detect_every", "min_score", "max_animals", "follow", "conditions", "fallback",
    "fallback_limit"
)  # fmt: skip
_EXCLUDED = ("path", *_CORE_OPTIONS)


def runtime_options(info: RuntimeInfo, texts: Mapping[str, str], catalog: PluginCatalog) -> dict[str, Any]:
    """Convert options to arguments for `load_model`, using the types in the signature of the runtime's constructor.

    Raises:
        OptionError: unknown option (the message suggests the nearest), or a value of the wrong type.
        PluginError, DependencyError: the runtime cannot be imported; it is imported only if there are options.
    """
    return share_options([info], texts, catalog)[0]


def share_options(
    infos: Sequence[RuntimeInfo], texts: Mapping[str, str], catalog: PluginCatalog
) -> list[dict[str, Any]]:
    """Give each runtime the options that it has. Raises OptionError for an option that no runtime has."""
    if not texts:
        return [{} for _ in infos]
    factories = [catalog.factory(info) for info in infos]
    known = [_options_of(factory) for factory in factories]
    for name in texts:
        if name in _EXCLUDED or not any(names is None or name in names for names in known):
            raise OptionError(_error_message(name, infos, {option for names in known for option in names or ()}), name)
    return [
        convert_options(
            factory,
            {name: text for name, text in texts.items() if names is None or name in names},
            f"runtime {info.name!r}",
        )
        for info, factory, names in zip(infos, factories, known, strict=True)
    ]


def _options_of(factory: Any) -> list[str] | None:
    """The names of a runtime's own options; None if it accepts any name."""
    parameters = inspect.signature(factory).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters if parameter.name not in _EXCLUDED]


def _error_message(name: str, infos: Sequence[RuntimeInfo], known: Iterable[str]) -> str:
    if name in _CORE_OPTIONS:
        flag = name.replace("_", "-")
        return f"{name!r} is not a runtime option: use --{flag}, or {name} beside path in a session file"
    runtimes = list(dict.fromkeys(repr(info.name) for info in infos))
    what = (
        f"runtime {runtimes[0]} has no" if len(runtimes) == 1 else f"none of the runtimes {', '.join(runtimes)} has an"
    )
    return f"{what} option {name!r}: {nearest(name, known)}"
