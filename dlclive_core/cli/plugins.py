"""`dlclive plugins list|check|show`."""

from __future__ import annotations

import inspect

from dlclive_core.cli.output import print_json, print_table, stdout
from dlclive_core.errors import DependencyError, PluginError
from dlclive_core.hookspecs import ComponentInfo
from dlclive_core.plugins.catalog import Plugin, PluginCatalog


def run_list(*, json: bool) -> None:
    """List the plugins, one per line."""
    catalog = PluginCatalog.installed()
    if json:
        print_json([_as_dict(plugin) for plugin in catalog.plugins])
        return
    print_table(
        "Plugins",
        ("plugin", "distribution", "status", "components"),
        [
            (
                plugin.name,
                f"{plugin.distribution} {plugin.version}",
                plugin.status,
                ", ".join(f"{item.kind} {item.name}" for item in plugin.components),
            )
            for plugin in catalog.plugins
        ],
    )
    for plugin in catalog.plugins:
        if plugin.error:
            stdout().print(f"{plugin.name} is {plugin.status}: {plugin.error}", markup=False)


def run_check(name: str | None, *, json: bool) -> int:
    """Import each component and return the exit code. A missing extra is reported but is not a failure."""
    catalog = PluginCatalog.installed()
    plugins = catalog.plugins if name is None else (catalog.find_plugin(name),)
    results: list[dict[str, str]] = []
    broken = False
    for plugin in plugins:
        if plugin.status != "blocked" and not plugin.components:
            broken = True
            results.append({"plugin": plugin.name, "component": "", "result": plugin.error or "no components"})
        for item in plugin.components:
            error = _import(catalog, item)
            broken = broken or (error is not None and not isinstance(error, DependencyError))
            results.append(
                {"plugin": plugin.name, "component": f"{item.kind} {item.name}", "result": str(error or "ok")}
            )
    if json:
        print_json(results)
    else:
        print_table("Components", ("plugin", "component", "result"), [tuple(result.values()) for result in results])
    return PluginError.exit_code if broken else 0


def run_show(name: str, *, json: bool) -> None:
    """Show a plugin's components and their options."""
    catalog = PluginCatalog.installed()
    plugin = catalog.find_plugin(name)
    description = {**_as_dict(plugin), "options": {item.name: _options(catalog, item) for item in plugin.components}}
    if json:
        print_json(description)
        return
    console = stdout()
    console.print(
        f"{plugin.name} ({plugin.distribution} {plugin.version}): {plugin.status} {plugin.error}", markup=False
    )
    for item in plugin.components:
        console.print(f"\n{item.kind} {item.name}: {item.summary}", markup=False)
        for option in _options(catalog, item):
            console.print(f"    {option}", markup=False)


def _import(catalog: PluginCatalog, item: ComponentInfo) -> PluginError | None:
    try:
        catalog.factory(item)
    except PluginError as error:
        return error
    return None


def _options(catalog: PluginCatalog, item: ComponentInfo) -> list[str]:
    try:
        parameters = inspect.signature(catalog.factory(item)).parameters.values()
    except PluginError as error:
        return [str(error)]
    return [_option(parameter) for parameter in parameters]


def _option(parameter: inspect.Parameter) -> str:
    """A parameter as `name: type = default`."""
    kind = (
        parameter.annotation
        if isinstance(parameter.annotation, str)
        else inspect.formatannotation(parameter.annotation)
    )
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    stars = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
    return f"{stars}{parameter.name}: {kind}{default}"


def _as_dict(plugin: Plugin) -> dict[str, object]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "status": plugin.status,
        "error": plugin.error,
        "components": [{"kind": item.kind, "name": item.name, "summary": item.summary} for item in plugin.components],
    }
