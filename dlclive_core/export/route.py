"""The route from one format to another: one exporter, or two with an intermediate file."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_core.errors import UnsupportedModelError, UsageError
from dlclive_core.hookspecs import ExporterInfo
from dlclive_core.machine.known_packages import INSTALL_EXPORTERS
from dlclive_core.plugins.catalog import PluginCatalog, missing_requirements

INTERMEDIATE_PRECISION = "fp32"
"""The precision of the intermediate file if the last exporter converts precision, which must start from full precision. An
exporter that does not convert gets a file in the requested precision."""


@dataclass(frozen=True, slots=True)
class Step:
    """One exporter of a route, and the precision that it writes."""

    info: ExporterInfo
    precision: str


def find_route(catalog: PluginCatalog, reads: str, writes: str, precision: str) -> tuple[Step, ...]:
    """The route from one suffix to another in a precision: direct if possible, else through one intermediate format.

    Routes whose libraries are installed take precedence, then the order of the plugins decides.

    Raises:
        UsageError: no route supports this precision; the message names the supported ones.
        UnsupportedModelError: there is no route.
    """
    infos = catalog.components(ExporterInfo)
    routes = _routes(infos, reads, writes)
    usable = [route for route in routes if precision in _precisions(route)]
    if usable:
        best = min(usable, key=lambda route: any(missing_requirements(info) for info in route))
        return tuple(
            Step(info, precision if info is best[-1] else _source_precision(best[-1], precision)) for info in best
        )
    precisions = ", ".join(dict.fromkeys(name for route in routes for name in _precisions(route)))
    if precisions:
        raise UsageError(f"no precision {precision!r} for {writes} files: choose from {precisions}")
    known = ", ".join(dict.fromkeys(f"{info.reads} to {info.writes}" for info in infos))
    raise UnsupportedModelError(
        f"no installed exporter from {reads} to {writes}; installed: {known or f'none; run: {INSTALL_EXPORTERS}'}"
    )


def _source_precision(last: ExporterInfo, precision: str) -> str:
    """The precision that the last exporter's source must have."""
    return INTERMEDIATE_PRECISION if last.converts else precision


def _precisions(route: tuple[ExporterInfo, ...]) -> list[str]:
    """The precisions that a route can write."""
    last = route[-1]
    return [
        name for name in last.precisions if all(_source_precision(last, name) in info.precisions for info in route[:-1])
    ]


def _routes(infos: list[ExporterInfo], reads: str, writes: str) -> list[tuple[ExporterInfo, ...]]:
    direct: list[tuple[ExporterInfo, ...]] = [(info,) for info in infos if (info.reads, info.writes) == (reads, writes)]
    pairs = [
        (first, last)
        for first in infos
        for last in infos
        if (first.reads, last.writes) == (reads, writes) and first.writes == last.reads and first.reads != first.writes
    ]
    return [*direct, *pairs]
