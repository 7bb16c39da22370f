"""Names of files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlclive_core import UsageError, file_name_part


def path_for(path: Path, name: str, suffixes: Sequence[str]) -> Path:
    """The file of one animal: `out.nwb` -> `out_mouse1.nwb`.

    Args:
        suffixes: of the format; one of two parts is kept together: `out.analysis.h5` -> `out_mouse1.analysis.h5`.
    """
    own = [suffix for suffix in suffixes if path.name.lower().endswith(suffix)]
    length = max(map(len, own), default=len(path.suffix))
    stem, suffix = path.name[: len(path.name) - length], path.name[len(path.name) - length :]
    return path.with_name(f"{stem}_{file_name_part(name)}{suffix}")


def paths_for(path: Path, names: Sequence[str], suffixes: Sequence[str]) -> tuple[Path, ...]:
    """The files of several animals. Raises UsageError if two names make the same file name."""
    paths = tuple(path_for(path, name, suffixes) for name in names)
    if len({file.name.casefold() for file in paths}) < len(paths):
        raise UsageError(f"{path}: the names of two animals ({', '.join(names)}) make the same file name")
    return paths
