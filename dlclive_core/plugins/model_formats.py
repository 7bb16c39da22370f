"""The model file formats of the installed runtimes."""

from __future__ import annotations

from pathlib import Path

from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.plugins.catalog import PluginCatalog


def has_fixed_size(suffix: str, catalog: PluginCatalog) -> bool:
    """Whether models with this file suffix accept images of one size only."""
    return any(suffix.lower() in info.fixed_size for info in catalog.components(RuntimeInfo))


def model_files(path: Path, catalog: PluginCatalog) -> tuple[Path, ...]:
    """A model's file and its existing companion files."""
    suffixes = {
        suffix: None
        for info in catalog.components(RuntimeInfo)
        for suffix in info.companions.get(path.suffix.lower(), ())
    }
    companions = (path.with_suffix(suffix) for suffix in suffixes)
    return (path, *(file for file in companions if file.is_file()))
