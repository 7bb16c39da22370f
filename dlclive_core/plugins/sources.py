"""The source that reads a file or folder."""

from __future__ import annotations

from pathlib import Path

from dlclive_core.components import FrameSource
from dlclive_core.errors import DataError, DependencyError, SourceError
from dlclive_core.hookspecs import SourceInfo
from dlclive_core.machine.known_packages import FILES, install_command
from dlclive_core.plugins.catalog import PluginCatalog, construct


def source_for(path: str | Path, catalog: PluginCatalog) -> FrameSource:
    """The source, not yet opened, that reads this file or folder.

    Raises:
        SourceError: the path does not exist.
        DataError: no source reads files of this kind.
        DependencyError: no source for files is installed.
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
    source: FrameSource = construct(catalog.factory(candidates[0]), f"source {candidates[0].name!r}", path)
    return source
