"""What the installed runtimes say about the files that they read."""

from __future__ import annotations

from pathlib import Path

from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.plugins.catalog import PluginCatalog


def has_fixed_size(path: Path, catalog: PluginCatalog) -> bool:
    """Whether files of this format take images of one size only."""
    suffix = path.suffix.lower()
    return any(suffix in info.fixed_size for info in catalog.components(RuntimeInfo))


def companion_files(path: Path, catalog: PluginCatalog) -> tuple[Path, ...]:
    """The files that belong to a model's file and exist beside it, such as its weights."""
    suffix = path.suffix.lower()
    suffixes = {other for info in catalog.components(RuntimeInfo) for other in info.companions.get(suffix, ())}
    return tuple(file for other in sorted(suffixes) if (file := path.with_suffix(other)).is_file())
