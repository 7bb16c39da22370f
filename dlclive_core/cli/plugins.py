"""`dlclive plugins list|check|show`."""

from __future__ import annotations

from collections.abc import Sequence

from dlclive_core.cli.option_words import OptionWords, options_in_words
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
    if json:
        options = {item.name: [_as_json(option) for option in _options(catalog, item)] for item in plugin.components}
        print_json({**_as_dict(plugin), "options": options})
        return
    console = stdout()
    console.print(
        f"{plugin.name} ({plugin.distribution} {plugin.version}): {plugin.status} {plugin.error}", markup=False
    )
    for item in plugin.components:
        console.print(f"\n{item.kind} {item.name}: {item.summary}", markup=False)
        for option in _options(catalog, item):
            console.print(f"    {option}", markup=False)
    console.print("\n[name=]: may be given without its name, as the first one: kalman:0.02", markup=False)


def _import(catalog: PluginCatalog, item: ComponentInfo) -> PluginError | None:
    try:
        catalog.factory(item)
    except PluginError as error:
        return error
    return None


def _options(catalog: PluginCatalog, item: ComponentInfo) -> Sequence[OptionWords | PluginError]:
    """The options of a component; why they are not known, if it cannot be imported."""
    try:
        return options_in_words(catalog.factory(item))
    except PluginError as error:
        return [error]


def _as_json(option: OptionWords | PluginError) -> dict[str, object]:
    return option.to_dict() if isinstance(option, OptionWords) else {"error": str(option)}


def _as_dict(plugin: Plugin) -> dict[str, object]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "status": plugin.status,
        "error": plugin.error,
        "components": [{"kind": item.kind, "name": item.name, "summary": item.summary} for item in plugin.components],
    }
