"""Which exporters lead from one format to another: one, or two with a file in between."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_core.data.known_packages import EXPORTER_INSTALL
from dlclive_core.errors import UnsupportedModelError, UsageError
from dlclive_core.hookspecs import ExporterInfo
from dlclive_core.plugins.catalog import PluginCatalog, missing_requirements

BETWEEN = "fp32"
"""The precision of a file in between: what the last exporter makes smaller was whole until then. An exporter that does not
convert gets the precision that it is asked for."""


@dataclass(frozen=True, slots=True)
class Step:
    """One exporter on the way, and the precision that it is asked for."""

    info: ExporterInfo
    precision: str


def find_route(catalog: PluginCatalog, reads: str, writes: str, precision: str) -> tuple[Step, ...]:
    """The way from one suffix to another in a precision: the direct one, or else by one format in between.

    Where several lead there, those whose libraries are installed go first, then the order of the plugins counts.

    Raises:
        UsageError: there are ways, but none in this precision; the message names those that there are.
        UnsupportedModelError: there is no way.
    """
    infos = catalog.components(ExporterInfo)
    ways = _ways(infos, reads, writes)
    fitting = [way for way in ways if precision in _able(way)]
    if fitting:
        best = min(fitting, key=lambda way: any(missing_requirements(info) for info in way))
        return tuple(Step(info, precision if info is best[-1] else _between(best[-1], precision)) for info in best)
    able = ", ".join(dict.fromkeys(name for way in ways for name in _able(way)))
    if able:
        raise UsageError(f"no precision {precision!r} for {writes} files: choose from {able}")
    known = ", ".join(dict.fromkeys(f"{info.reads} to {info.writes}" for info in infos))
    raise UnsupportedModelError(
        f"no installed exporter from {reads} to {writes}; there are: {known or f'none; run: {EXPORTER_INSTALL}'}"
    )


def _between(last: ExporterInfo, precision: str) -> str:
    """The precision in which the last exporter wants its source."""
    return BETWEEN if last.converts else precision


def _able(way: tuple[ExporterInfo, ...]) -> list[str]:
    """The precisions that a way leads to."""
    last = way[-1]
    return [name for name in last.precisions if all(_between(last, name) in info.precisions for info in way[:-1])]


def _ways(infos: list[ExporterInfo], reads: str, writes: str) -> list[tuple[ExporterInfo, ...]]:
    direct: list[tuple[ExporterInfo, ...]] = [(info,) for info in infos if (info.reads, info.writes) == (reads, writes)]
    pairs = [
        (first, last)
        for first in infos
        for last in infos
        if (first.reads, last.writes) == (reads, writes) and first.writes == last.reads and first.reads != first.writes
    ]
    return [*direct, *pairs]
