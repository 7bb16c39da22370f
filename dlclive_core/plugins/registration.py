"""Imports a plugin's module and calls its hooks, so that it can neither end nor block the program."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import fields
from importlib.metadata import EntryPoint
from itertools import islice
from types import ModuleType

import pluggy

from dlclive_core import hookspecs
from dlclive_core.hookspecs import (
    AnnotationInfo,
    ComponentInfo,
    DistillerInfo,
    ExporterInfo,
    FormatInfo,
    OutputInfo,
    ProcessorInfo,
    ReaderInfo,
    RecoveryInfo,
    RuntimeInfo,
    SinkInfo,
    SourceInfo,
)

KINDS: tuple[type[ComponentInfo], ...] = (
    RuntimeInfo,
    ExporterInfo,
    SourceInfo,
    ProcessorInfo,
    SinkInfo,
    OutputInfo,
    RecoveryInfo,
    ReaderInfo,
    FormatInfo,
    AnnotationInfo,
    DistillerInfo,
)

DEADLINE = 10.0
"""Seconds for a plugin's module, which imports nothing heavy. A slow network drive needs a few."""

_MOST = 1000
"""Maximum number of components per hook; more means an endless generator."""


def load_components(point: EntryPoint, deadline: float = DEADLINE) -> tuple[ComponentInfo, ...]:
    """Import a plugin's module and return what it registers. Raises whatever the module raises.

    The import runs in its own daemon thread. After `deadline` seconds TimeoutError is raised and the thread is abandoned,
    because Python cannot end it. The module's printed output goes to standard error.
    """
    components: tuple[ComponentInfo, ...] = ()
    failure: BaseException | None = None

    def load() -> None:
        nonlocal components, failure
        try:
            components = registered_components(point.load())
        except BaseException as error:  # sys.exit() in a module must not end the program
            failure = error

    thread = threading.Thread(target=load, name=f"dlclive plugin {point.name}", daemon=True)
    with redirect_stdout(sys.stderr):
        thread.start()
        thread.join(deadline)
    if thread.is_alive():
        raise TimeoutError(f"importing {point.value} did not end within {deadline:g} s")
    if failure is not None and not isinstance(failure, Exception):
        raise RuntimeError(f"importing {point.value} raised {type(failure).__name__}({failure})") from failure
    if failure is not None:
        raise failure
    return components


def registered_components(module: ModuleType) -> tuple[ComponentInfo, ...]:
    """Call the hooks of one plugin, in a separate manager, so that plugins cannot affect each other."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()
    components: list[ComponentInfo] = []
    for kind in KINDS:
        hook = getattr(manager.hook, f"dlclive_register_{plural(kind.kind)}")
        for items in hook():
            for item in islice(items, _MOST + 1):
                _check(item, kind, hook.name)
                components.append(item)
                if len(components) > _MOST:
                    raise ValueError(f"{hook.name} returned more than {_MOST} components")
    return tuple(components)


def plural(kind: str) -> str:
    """The kind in the name of its hook: "sink" -> "sinks", "recovery" -> "recoveries"."""
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


def _check(item: object, kind: type[ComponentInfo], hook: str) -> None:
    """Check field types here; otherwise a wrong type fails later, far from its cause."""
    if not isinstance(item, kind):
        raise TypeError(f"{hook} returned {item!r}, not {kind.__name__}")
    for field in fields(item):
        value = getattr(item, field.name)
        annotation = str(field.type)
        if not _fits(value, annotation):
            example = f"; write ({value!r},)" if isinstance(value, str) else ""
            raise TypeError(f"{kind.__name__}.{field.name} is {value!r}, not {annotation}{example}")
    if not item.name.strip():
        raise ValueError(f"{hook} returned a {kind.__name__} without a name")
    if ":" not in item.factory:
        raise ValueError(f"{kind.__name__} {item.name!r}: factory is {item.factory!r}, not 'package.module:Class'")


def _fits(value: object, annotation: str) -> bool:
    if annotation.startswith("tuple[str"):
        return isinstance(value, tuple) and all(isinstance(text, str) for text in value)
    if annotation.startswith("Mapping["):
        return isinstance(value, Mapping)
    return isinstance(value, {"str": str, "int": int, "bool": bool}[annotation])
