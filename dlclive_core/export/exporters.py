"""Making the exporters of a way, each with those of the user's options that it has, and asking them before they begin."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from dlclive_core.components import Exporter
from dlclive_core.data.card import ModelCard
from dlclive_core.errors import UsageError, nearest
from dlclive_core.export.route import Step
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.specs import convert_options


def make_exporters(catalog: PluginCatalog, steps: Sequence[Step], options: Mapping[str, Any]) -> list[Exporter]:
    """One exporter for each step.

    Args:
        options: arguments of the exporters' constructors. One goes to every exporter on the way that has it; text is converted
            to the type that the constructor says.

    Raises:
        UsageError: an option that none of them has, or a value that is of another type.
        PluginError, DependencyError: an exporter cannot be imported.
    """
    factories = [catalog.factory(step.info) for step in steps]
    had = {name for factory in factories for name in inspect.signature(factory).parameters}
    for name in options:
        if name not in had:
            way = " and ".join(repr(step.info.name) for step in steps)
            advice = nearest(name, sorted(had)) if had else "they have none" if len(steps) > 1 else "it has none"
            raise UsageError(f"exporter {way} has no option {name!r}: {advice}")
    return [_make(factory, step, options) for factory, step in zip(factories, steps, strict=True)]


def check_exporters(
    exporters: Sequence[Exporter], steps: Sequence[Step], card: ModelCard, size: tuple[int, int] | None
) -> None:
    """Ask each exporter of a way whether it will be able to do its step; raises as `Exporter.check`.

    Args:
        card: of the first one's source; those after it get what is made of that.
        size: (height, width) to fix the input to.
    """
    for exporter, step in zip(exporters, steps, strict=True):
        exporter.check(card, precision=step.precision, size=size)
        card = card.with_(precision=step.precision, input_size=size or card.input_size)


def _make(factory: Any, step: Step, options: Mapping[str, Any]) -> Exporter:
    own = {name: value for name, value in options.items() if name in inspect.signature(factory).parameters}
    exporter: Exporter = factory(**convert_options(factory, own, f"exporter {step.info.name!r}"))
    return exporter
