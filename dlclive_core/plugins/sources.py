"""The source that reads a file or folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from dlclive_core.components import FrameSource
from dlclive_core.errors import DataError, DependencyError, SourceError
from dlclive_core.hookspecs import SourceInfo
from dlclive_core.machine.known_packages import FILES, install_command
from dlclive_core.plugins.catalog import PluginCatalog, check_options, construct
from dlclive_core.plugins.specs import convert_options


def source_for(
    path: str | Path, catalog: PluginCatalog, options: Mapping[str, str] = MappingProxyType({})
) -> FrameSource:
    """The source, not yet opened, that reads this file or folder.

    Args:
        path: of a file or folder.
        catalog: the installed plugins.
        options: further options of the source, as text, such as {"colours": "opencv"}.

    Raises:
        SourceError: the path does not exist.
        DataError: no source reads files of this kind.
        DependencyError: no source for files is installed.
        UsageError: the source does not have an option, or not with this value.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise SourceError(f"no such file or folder: {path}")
    infos = catalog.components(SourceInfo)
    candidates = [
        info for info in infos if (info.opens_folders if path.is_dir() else path.suffix.lower() in info.opens)
    ]
    if not candidates:
        if not any(info.opens for info in infos):
            raise DependencyError(f"nothing installed reads {path.name}; run: {install_command(FILES)}")
        known = " ".join(sorted({suffix for info in infos for suffix in info.opens}))
        kind = "a folder" if path.is_dir() else path.suffix or "a file without suffix"
        raise DataError(f"cannot read {path} as video or images: {kind} is not among {known}")
    factory, label = catalog.factory(candidates[0]), f"source {candidates[0].name!r}"
    check_options(factory, options, label)
    source: FrameSource = construct(factory, label, path, **convert_options(factory, options, label))
    return source
