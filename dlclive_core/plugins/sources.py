"""From a path to a source of frames."""

from __future__ import annotations

from pathlib import Path

from dlclive_core.components import FrameSource
from dlclive_core.data.known_packages import FILES_INSTALL
from dlclive_core.errors import DataError, DependencyError, SourceError
from dlclive_core.hookspecs import SourceInfo
from dlclive_core.plugins.catalog import PluginCatalog


def source_for(path: str | Path, catalog: PluginCatalog) -> FrameSource:
    """The source, not yet opened, that reads this file or folder.

    Raises:
        SourceError: there is nothing at this path.
        DataError: no source reads files of this kind.
        DependencyError: a source would, and is not installed.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise SourceError(f"no such file or folder: {path}")
    infos = catalog.components(SourceInfo)
    fitting = [info for info in infos if (info.opens_folders if path.is_dir() else path.suffix.lower() in info.opens)]
    if not fitting:
        if not any(info.opens for info in infos):
            raise DependencyError(f"nothing installed reads {path.name}; run: {FILES_INSTALL}")
        known = " ".join(sorted({suffix for info in infos for suffix in info.opens}))
        what = "a folder" if path.is_dir() else f"{path.suffix or 'a file without suffix'}"
        raise DataError(f"{path} cannot be read as video or images: {what} is none of {known}")
    source: FrameSource = catalog.factory(fitting[0])(path)
    return source
