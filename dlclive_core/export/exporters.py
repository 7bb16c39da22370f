"""Builds the exporters of a route with the user's options, and checks them before the first one starts."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from dlclive_core.components.exporter import Exporter
from dlclive_core.data.card import ModelCard
from dlclive_core.errors import UsageError, nearest
from dlclive_core.export.route import Step
from dlclive_core.models.model_contracts import network_shape
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.specs import convert_options


def make_exporters(catalog: PluginCatalog, steps: Sequence[Step], options: Mapping[str, Any]) -> list[Exporter]:
    """Build one exporter for each step.

    Args:
        options: arguments of the exporters' constructors. Each goes to every exporter of the route that has it. Text is
            converted to the type in the constructor's signature.

    Raises:
        UsageError: no exporter has an option, or its value has the wrong type.
        PluginError, DependencyError: an exporter cannot be imported.
    """
    factories = [catalog.factory(step.info) for step in steps]
    known = {name for factory in factories for name in inspect.signature(factory).parameters}
    for name in options:
        if name not in known:
            route = " and ".join(repr(step.info.name) for step in steps)
            advice = nearest(name, sorted(known)) if known else "they have none" if len(steps) > 1 else "it has none"
            raise UsageError(f"exporter {route} has no option {name!r}: {advice}")
    return [_make(factory, step, options) for factory, step in zip(factories, steps, strict=True)]


def check_exporters(
    exporters: Sequence[Exporter], steps: Sequence[Step], card: ModelCard, size: tuple[int, int] | None
) -> None:
    """Check that each exporter of a route can do its step; raises what `Exporter.check` raises.

    Args:
        card: card of the source. Later exporters get the card of the previous step's result.
        size: (width, height) to fix the input to.
    """
    for exporter, step in zip(exporters, steps, strict=True):
        exporter.check(card, precision=step.precision, size=size)
        input_size = card.input_size if size is None else network_shape(card, size)
        card = card.with_(precision=step.precision, input_size=input_size)


def _make(factory: Any, step: Step, options: Mapping[str, Any]) -> Exporter:
    own = {name: value for name, value in options.items() if name in inspect.signature(factory).parameters}
    exporter: Exporter = factory(**convert_options(factory, own, f"exporter {step.info.name!r}"))
    return exporter
