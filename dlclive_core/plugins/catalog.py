"""The catalogue of installed plugins: their status, and their components."""

from __future__ import annotations

import importlib
import inspect
import os
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import pluggy

from dlclive_core.errors import DependencyError, DLCLiveError, PluginError, UsageError, nearest, one_line
from dlclive_core.hookspecs import ComponentInfo
from dlclive_core.machine.known_packages import (
    PROVIDERS,
    install_command,
    package_name,
    plugin_packages,
    provider,
    runnable,
)
from dlclive_core.machine.system import installed_version
from dlclive_core.plugins.offers import Offer, installed_offers
from dlclive_core.plugins.registration import KINDS, load_components, registered_components

CORE = "dlclive-core"
DISABLE_VARIABLE = "DLCLIVE_DISABLE_PLUGINS"

Info = TypeVar("Info", bound=ComponentInfo)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One installed plugin.

    Attributes:
        name: of its entry point.
        distribution, version: of the package that provides it.
        status: "ready", "incomplete" (a library that one of its components needs is missing), "broken" (it raised),
            "blocked" (by DLCLIVE_DISABLE_PLUGINS) or "duplicate" (its name, or a component's, is already in use).
        error: the problem and its solution, in one line; empty when ready.
        components: the components it provides; empty if broken, blocked or duplicate.
    """

    name: str
    distribution: str
    version: str
    status: str
    error: str = ""
    components: tuple[ComponentInfo, ...] = ()


class PluginCatalog:
    """The installed plugins. Create it once per program with `PluginCatalog.installed()` and pass it on; it is immutable."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self.plugins = tuple(plugins)

    @classmethod
    def installed(cls, disabled: Iterable[str] | None = None) -> PluginCatalog:
        """Read the entry points of every installed distribution.

        Args:
            disabled: names of plugins not to load; default: the comma-separated names in DLCLIVE_DISABLE_PLUGINS.
        """
        if disabled is None:
            disabled = (name.strip() for name in os.environ.get(DISABLE_VARIABLE, "").split(","))
        blocked = {name for name in disabled if name}
        plugins = [_builtin()]
        for offer in installed_offers():
            plugins.append(_load(offer, blocked, plugins))
        return cls(plugins)

    def components(self, kind: type[Info]) -> list[Info]:
        """All components of a kind, whether or not their libraries are installed."""
        return [item for plugin in self.plugins for item in plugin.components if isinstance(item, kind)]

    def find(self, kind: type[Info], name: str) -> Info:
        """The component of this kind and name.

        Raises:
            DependencyError: it is in a package of ours that is not installed; the message has the command that installs it.
            PluginError: there is none; with the reason, if it is known.
        """
        for item in self.components(kind):
            if item.name == name:
                return item
        self.check_installed(kind, name)
        failed = [plugin for plugin in self.plugins if plugin.error and not plugin.components]
        reasons = "".join(f" (plugin {plugin.name!r} is {plugin.status}: {plugin.error})" for plugin in failed)
        known = {*(item.name for item in self.components(kind)), *PROVIDERS.get(kind.kind, ())}
        raise PluginError(f"no {kind.kind} {name!r}: {nearest(name, known)}{reasons}")

    def check_installed(self, kind: type[ComponentInfo], name: str) -> None:
        """Raise DependencyError if this is a component of ours whose package is not installed, or whose plugin has failed."""
        package = provider(kind.kind, name)
        if package is not None and not any(item.name == name for item in self.components(kind)):
            self.require(package, f"{kind.kind} {name!r}")

    def require(self, package: str, what: str) -> None:
        """Raise DependencyError: `what` is in a package of ours that is not installed, or whose plugin has failed."""
        own = next((plugin for plugin in self.plugins if plugin.distribution == package_name(package)), None)
        if own is None:
            command = install_command(package)
            raise DependencyError(f"{what} is in {package_name(package)}, which is not installed; run: {command}")
        raise DependencyError(f"{what} is in plugin {own.name!r}, which is {own.status}: {own.error or 'update it'}")

    def find_plugin(self, name: str) -> Plugin:
        """The plugin with this name, or of this distribution. Raises PluginError, and names the plugin of a component."""
        for plugin in self.plugins:
            if name in (plugin.name, plugin.distribution):
                return plugin
        for plugin in self.plugins:
            for item in plugin.components:
                if item.name == name:
                    article = "an" if item.kind[0] in "aeiou" else "a"
                    raise PluginError(
                        f"{name!r} is {article} {item.kind} of plugin {plugin.name!r}; run: dlclive plugins show {plugin.name}"
                    )
        packages = plugin_packages()
        for package in (packages.get(name), name if name in packages.values() else None):
            if package is not None:
                self.require(package, f"plugin {name!r}")
        for kind in KINDS:
            self.check_installed(kind, name)
        raise PluginError(f"no plugin {name!r}: {nearest(name, [plugin.name for plugin in self.plugins])}")

    def factory(self, info: ComponentInfo) -> type[Any]:
        """Import the class of a component. Raises DependencyError or PluginError, naming the command to run next."""
        absent = missing_requirements(info)
        hint = f"; run: {runnable(info.install_hint)}" if info.install_hint else ""
        if absent:
            raise DependencyError(f"{info.kind} {info.name!r} needs {', '.join(absent)}, not installed{hint}")
        module, _, attribute = info.factory.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit() in a library must not end the program
            owner = next((plugin.name for plugin in self.plugins if info in plugin.components), "?")
            raise PluginError(
                f"{info.kind} {info.name!r} cannot be imported ({one_line(error)}); run: dlclive plugins check {owner}"
            ) from error

    def distribution_of(self, info: ComponentInfo) -> str:
        """The name of the distribution that provides a component, such as "dlclive-io"."""
        return next(plugin.distribution for plugin in self.plugins if info in plugin.components)

    def build(self, kind: type[ComponentInfo], name: str, *args: Any, **options: Any) -> Any:
        """Build the component of this kind and name. Raises UsageError for an option that it does not have."""
        info = self.find(kind, name)
        factory = self.factory(info)
        label = f"{kind.kind} {name!r}"
        check_options(factory, options, label)
        return construct(factory, label, *args, **options)


def construct(factory: Any, label: str, *args: Any, **options: Any) -> Any:
    """Call a component's class. What it raises becomes an error of ours that names the component.

    Raises:
        UsageError: it raised ValueError, as for an option out of range.
        PluginError: it raised anything else that is not an error of ours, SystemExit included. MemoryError passes: it says
            nothing about the component.
    """
    try:
        return factory(*args, **options)
    except (DLCLiveError, KeyboardInterrupt, MemoryError):
        raise
    except ValueError as error:
        raise UsageError(f"{label}: {_one_line(error)}") from error
    except BaseException as error:
        raise PluginError(f"{label} raised {one_line(error)}{_raised_at(error)}") from error


def check_options(factory: Any, options: Iterable[str], label: str, *, also: Sequence[str] = ()) -> None:
    """Raise UsageError for an option that `factory` does not have, and suggest the nearest of its own and of `also`.

    A class may have `option_advice`, what to do instead of giving an option that is expected of it: "hold" -> "write ...".
    """
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # written in C, without a signature: it checks its options itself
        return
    valid = [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
    if len(valid) < len(parameters):  # it takes any keyword and checks them itself
        return
    for option in options:
        if option not in valid:
            advice = getattr(factory, "option_advice", {}).get(option) or nearest(option, [*valid, *also])
            raise UsageError(f"{label} has no option {option!r}: {advice}")


def missing_requirements(info: ComponentInfo) -> list[str]:
    """The libraries that a component needs and that are not installed. Imports nothing."""
    return [name for name in info.requires if not _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except Exception:  # a library that raises when it is searched for, because its parent is imported, cannot be used
        return False


def _builtin() -> Plugin:
    from dlclive_core.plugins.builtin import plugin

    return Plugin(
        name="builtin",
        distribution=CORE,
        version=installed_version(CORE),
        status="ready",
        components=registered_components(plugin),
    )


def _load(offer: Offer, blocked: set[str], earlier: Sequence[Plugin]) -> Plugin:
    name, version = offer.distribution, offer.version

    def record(status: str, error: str = "", components: tuple[ComponentInfo, ...] = ()) -> Plugin:
        return Plugin(
            name=offer.name, distribution=name, version=version, status=status, error=error, components=components
        )

    if offer.point is None:
        return record("broken", f"{offer.error}; install it again, or run: pip uninstall {name}")
    if offer.name in blocked:
        return record("blocked", f"named in {DISABLE_VARIABLE}; unset it to use the plugin")
    for other in earlier:
        if other.name == offer.name:
            return record(
                "duplicate",
                f"{name} and {other.distribution} both offer a plugin {offer.name!r}; run: pip uninstall {name}",
            )
    try:
        components = load_components(offer.point)
    except Exception as error:  # one plugin must not keep the others from loading
        return record(
            "broken",
            f"{type(error).__name__}: {_one_line(error)}{_raised_at(error)}; update or run: pip uninstall {name}",
        )
    for item in components:
        for other in earlier:
            if any((known.kind, known.name) == (item.kind, item.name) for known in other.components):
                return record(
                    "duplicate",
                    f"{name} and {other.distribution} both offer a {item.kind} {item.name!r}; "
                    f"run: pip uninstall {name}",
                )
    absent = [(item, missing) for item in components if (missing := missing_requirements(item))]
    if absent:
        item, missing = absent[0]
        hint = f"; run: {runnable(item.install_hint)}" if item.install_hint else ""
        return record("incomplete", f"{item.kind} {item.name!r} needs {', '.join(missing)}{hint}", components)
    return record("ready", components=components)


def _raised_at(error: BaseException) -> str:
    """The file and line where a plugin raised, unless they are in the core, pluggy or the standard library."""
    core, hooks, library = Path(__file__).parent, Path(pluggy.__file__).parent, Path(os.__file__).parent
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        packaged = "site-packages" in path.parts or "dist-packages" in path.parts
        if (
            path.is_file()
            and (packaged or not path.is_relative_to(library))
            and not any(map(path.is_relative_to, (core, hooks)))
        ):
            return f" ({path}:{frame.lineno})"
    return ""


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
