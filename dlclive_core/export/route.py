"""The route from one format to another: one exporter, or two with an intermediate file."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_core.errors import DependencyError, UnsupportedModelError, UsageError, nearest
from dlclive_core.hookspecs import ExporterInfo
from dlclive_core.machine.known_packages import EXPORTERS, install_command, provider
from dlclive_core.plugins.catalog import PluginCatalog, missing_requirements

INTERMEDIATE_PRECISION = "fp32"
"""The precision of the intermediate file if the last exporter converts precision, which must start from full precision. An
exporter that does not convert gets a file in the requested precision."""


@dataclass(frozen=True, slots=True)
class Step:
    """One exporter of a route, and the precision that it writes."""

    info: ExporterInfo
    precision: str


def find_route(catalog: PluginCatalog, reads: str, writes: str, precision: str, program: str = "") -> tuple[Step, ...]:
    """The route from one suffix to another in a precision: direct if possible, else through one intermediate format.

    Routes whose libraries are installed take precedence, then the order of the plugins decides.

    Args:
        program: the program that the last exporter writes for; empty: the runtimes of dlclive.

    Raises:
        UsageError: no route supports this precision; the message names the supported ones.
        DependencyError: there would be a route with packages of ours that are not installed.
        UnsupportedModelError: there is no route.
    """
    precision = precision.lower()
    infos = catalog.components(ExporterInfo)
    routes = _routes(infos, reads, writes, program)
    usable = [route for route in routes if precision in _precisions(route)]
    if usable:
        best = min(usable, key=lambda route: any(missing_requirements(info) for info in route))
        return tuple(
            Step(info, precision if info is best[-1] else _source_precision(best[-1], precision)) for info in best
        )
    _check_packages(infos, reads, writes, precision, program)
    precisions = ", ".join(dict.fromkeys(name for route in routes for name in _precisions(route)))
    if precisions:
        files = program or f"{writes} files"
        raise UsageError(f"no precision {precision!r} for {files}: choose from {precisions}")
    if program:
        raise UnsupportedModelError(
            f"no installed exporter makes a model for {program} of {reads} files: give DeepLabCut's .pt file, or an .onnx file "
            "that dlclive exported"
        )
    known = ", ".join(dict.fromkeys(f"{info.reads} to {info.writes}" for info in infos if not info.program))
    raise UnsupportedModelError(f"no installed exporter from {reads} to {writes}; installed: {known or 'none'}")


def program_suffix(catalog: PluginCatalog, program: str) -> str:
    """The suffix of the model's file in the folder that is written for a program.

    Raises:
        UsageError: nothing writes for it; the message names the nearest one.
        DependencyError: a package of ours would, and is not installed.
    """
    writes = {info.program: info.writes for info in [*_not_installed([]), *catalog.components(ExporterInfo)]}
    writes.pop("", None)
    if program not in writes:
        raise UsageError(f"no program {program!r} to export for: {nearest(program, sorted(writes))}")
    return writes[program]


def _not_installed(installed: list[ExporterInfo]) -> list[ExporterInfo]:
    """Our exporters other than these."""
    names = {info.name for info in installed}
    return [ExporterInfo(summary="", factory="", **known._asdict()) for known in EXPORTERS if known.name not in names]


def _check_packages(infos: list[ExporterInfo], reads: str, writes: str, precision: str, program: str) -> None:
    """Raise DependencyError if packages of ours that are not installed would make the route; the shortest one counts."""
    installed = {info.name for info in infos}
    everything = [*infos, *_not_installed(infos)]
    routes = [route for route in _routes(everything, reads, writes, program) if precision in _precisions(route)]
    if routes:
        missing = [provider(ExporterInfo.kind, info.name) for info in routes[0] if info.name not in installed]
        packages = list(dict.fromkeys(package for package in missing if package is not None))
        raise DependencyError(
            f"exporting {reads} to {program or writes} in {precision} needs {' and '.join(packages)}, not installed; "
            f"run: {install_command(*packages)}"
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


def _routes(infos: list[ExporterInfo], reads: str, writes: str, program: str) -> list[tuple[ExporterInfo, ...]]:
    firsts = [info for info in infos if not info.program]
    lasts = [info for info in infos if (info.writes, info.program) == (writes, program)]
    direct: list[tuple[ExporterInfo, ...]] = [(info,) for info in lasts if info.reads == reads]
    pairs = [
        (first, last)
        for first in firsts
        for last in lasts
        if first.reads == reads and first.writes == last.reads and first.reads != first.writes
    ]
    return [*direct, *pairs]
