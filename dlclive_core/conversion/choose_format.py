"""Which format reads a file, and which writes one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from dlclive_core.components import TableFormat
from dlclive_core.errors import DataError, DependencyError, DLCLiveError, UsageError, nearest, shown
from dlclive_core.hookspecs import FormatInfo
from dlclive_core.machine.known_packages import FILES, FORMAT_SUFFIXES, install_command
from dlclive_core.plugins.catalog import PluginCatalog, construct
from dlclive_core.plugins.specs import ComponentSpec, build_component

_NAMED = re.compile(r"[a-z][a-z0-9-]+(?=:)", re.IGNORECASE)
"""A name before a colon. One letter is a drive of Windows."""

_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"PAR1": "a Parquet file",
    b"SQLite": "an SQLite database",
    b"\x80": "a Python pickle, which is not opened: it could run a program",
    b"PK": "a zip archive",
    b"\x1a\x45\xdf\xa3": "a video",
    b"RIFF": "a video",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be written: a path, and the format with its options.

    Attributes:
        name: of the format.
        format: an object of its class, not yet used.
    """

    path: Path
    name: str
    format: TableFormat


def target_of(text: str, to: str | None, catalog: PluginCatalog) -> Target:
    """The format and path of `out.nwb` or `nwb:out.nwb,subject=M12`.

    Args:
        to: name of the format, with options or without, where the path does not say it.

    Raises:
        UsageError: the suffix is of no format, or the format does not write; OptionError for a wrong option.
        DependencyError: the format's package is not installed.
        PluginError: there is no format of this name.
    """
    named = _NAMED.match(text)
    if named and to is not None:
        raise UsageError(f"{shown(text)} names the format {named[0]!r}; leave out --to")
    if named or to is not None:
        spec = ComponentSpec.parse(text if to is None else to)
        info = catalog.find(FormatInfo, spec.name)
        path, spec = (Path(text), spec) if to is not None else _path_in(text, spec)
    else:
        path = Path(text)
        info = _by_suffix(path, catalog)
        spec = ComponentSpec(info.name, None, ())
    if not info.writes:
        known = ", ".join(sorted(item.name for item in catalog.components(FormatInfo) if item.writes))
        raise UsageError(f"format {info.name!r} is only read; formats that are written: {known}")
    writer: TableFormat = build_component(catalog, FormatInfo, spec)
    return Target(path.expanduser(), info.name, writer)


def reader_of(path: Path, catalog: PluginCatalog) -> tuple[FormatInfo, TableFormat]:
    """The format of an existing file or folder, by its content; those that its name suggests are asked first.

    Raises:
        DataError: no installed format recognises it.
        DependencyError: the format that its name suggests is not installed, and no other recognises it.
    """
    infos = catalog.components(FormatInfo)
    if not infos:
        raise DependencyError(f"no installed plugin reads tables of poses; run: {install_command(FILES)}")
    missing: DLCLiveError | None = None
    likely: TableFormat | None = None
    for info in sorted(infos, key=lambda item: (-_matched(path, item.suffixes), -item.preference)):
        try:
            format: TableFormat = construct(catalog.factory(info), f"format {info.name!r}")
        except DLCLiveError as error:
            if _matched(path, info.suffixes):
                missing = missing or error
            continue
        if format.recognizes(path):
            return info, format
        if likely is None and path.is_file() and _matched(path, info.suffixes):
            likely = format
    if missing is not None:
        raise missing
    if likely is not None:
        likely.read(path)  # raises what is wrong with it
    package = _package_for(path, infos)
    if package is not None:
        raise DependencyError(
            f"{path.name} is read by {package}, which is not installed; run: {install_command(package)}"
        )
    known = ", ".join(sorted(info.name for info in infos))
    raise DataError(f"{path} is {_described(path)}, not a table of poses in a format that is installed ({known})")


def _path_in(text: str, spec: ComponentSpec) -> tuple[Path, ComponentSpec]:
    options = dict(spec.options)
    path = spec.first or options.pop("path", None)
    if not path:
        raise UsageError(f"{shown(text)} does not name a file; write {spec.name}:FILE,option=value")
    return Path(path), replace(spec, first=None, options=tuple(options.items()))


def _by_suffix(path: Path, catalog: PluginCatalog) -> FormatInfo:
    infos = catalog.components(FormatInfo)
    fitting = [info for info in infos if info.writes and _matched(path, info.suffixes)]
    if fitting:
        return max(fitting, key=lambda info: (_matched(path, info.suffixes), info.preference))
    package = _package_for(path, infos)
    if package is not None:
        raise DependencyError(
            f"{path.name} is written by {package}, which is not installed; run: {install_command(package)}"
        )
    if not infos:
        raise DependencyError(f"no installed plugin writes tables of poses; run: {install_command(FILES)}")
    suffixes = {suffix for info in infos if info.writes for suffix in info.suffixes} | set(FORMAT_SUFFIXES)
    suffix = "".join(path.suffixes[-2:]) if path.suffix else ""
    hint = nearest(path.suffix or path.name, suffixes)
    what = f"the suffix {path.suffix!r}" if suffix else "a name without suffix"
    raise UsageError(f"no format writes files with {what} (--to names a format): {hint}")


def _matched(path: Path, suffixes: Iterable[str]) -> int:
    """The length of the longest of these suffixes that a name ends in; 0 if there is none."""
    name = path.name.lower()
    return max((len(suffix) for suffix in suffixes if name.endswith(suffix.lower()) and name != suffix), default=0)


def _package_for(path: Path, infos: Iterable[FormatInfo]) -> str | None:
    """The package of ours to install for a file of this name; None if it is installed, or of no format of ours."""
    installed = {info.name for info in infos}
    known = [suffix for suffix in FORMAT_SUFFIXES if _matched(path, (suffix,))]
    if not known:
        return None
    name, package = FORMAT_SUFFIXES[max(known, key=len)]
    return None if name in installed else package


def _described(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    try:
        with path.open("rb") as file:
            beginning = file.read(16)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    if not beginning:
        return "empty"
    for start, what in _BEGINNINGS.items():
        if beginning.startswith(start):
            return what
    return "a video" if beginning[4:8] == b"ftyp" else "text" if beginning.isascii() else "a file"
