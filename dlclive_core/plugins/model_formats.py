"""What the installed runtimes say about the formats of model files."""

from __future__ import annotations

from pathlib import Path

from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.plugins.catalog import PluginCatalog


def has_fixed_size(suffix: str, catalog: PluginCatalog) -> bool:
    """Whether files with this suffix take images of one size only."""
    return any(suffix.lower() in info.fixed_size for info in catalog.components(RuntimeInfo))


def model_files(path: Path, catalog: PluginCatalog) -> tuple[Path, ...]:
    """A model's file, and those beside it that belong to it and are there."""
    suffixes = {
        suffix: None
        for info in catalog.components(RuntimeInfo)
        for suffix in info.companions.get(path.suffix.lower(), ())
    }
    beside = (path.with_suffix(suffix) for suffix in suffixes)
    return (path, *(file for file in beside if file.is_file()))
