"""Which exporters lead from one format to another: one, or two with a file in between."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_core.catalog import PluginCatalog, missing_requirements
from dlclive_core.errors import UnsupportedModelError, UsageError
from dlclive_core.hookspecs import ExporterInfo

BETWEEN = "fp32"
"""The precision of a file in between: what the last exporter makes smaller was whole until then."""


@dataclass(frozen=True, slots=True)
class Step:
    """One exporter on the way, and the precision that it is asked for."""

    info: ExporterInfo
    precision: str


def find_route(catalog: PluginCatalog, reads: str, writes: str, precision: str) -> tuple[Step, ...]:
    """The way from one suffix to another in a precision: the direct one, or else by one format in between, in fp32.

    Where several lead there, those whose libraries are installed go first, then the order of the plugins counts.

    Raises:
        UsageError: there are ways, but none in this precision; the message names those that there are.
        UnsupportedModelError: there is no way.
    """
    infos = catalog.components(ExporterInfo)
    ways = [way for way in _ways(infos, reads, writes) if all(BETWEEN in info.precisions for info in way[:-1])]
    fitting = [way for way in ways if precision in way[-1].precisions]
    if fitting:
        best = min(fitting, key=lambda way: any(missing_requirements(info) for info in way))
        return (*(Step(info, BETWEEN) for info in best[:-1]), Step(best[-1], precision))
    if ways:
        able = ", ".join(dict.fromkeys(name for way in ways for name in way[-1].precisions))
        raise UsageError(f"no precision {precision!r} for {writes} files: choose from {able}")
    known = ", ".join(dict.fromkeys(f"{info.reads} to {info.writes}" for info in infos))
    raise UnsupportedModelError(
        f"no installed exporter from {reads} to {writes}; there are: {known or 'none; run: pip install dlclive-torch'}"
    )


def _ways(infos: list[ExporterInfo], reads: str, writes: str) -> list[tuple[ExporterInfo, ...]]:
    direct: list[tuple[ExporterInfo, ...]] = [(info,) for info in infos if (info.reads, info.writes) == (reads, writes)]
    pairs = [
        (first, last)
        for first in infos
        for last in infos
        if (first.reads, last.writes) == (reads, writes) and first.writes == last.reads and first.reads != first.writes
    ]
    return [*direct, *pairs]
