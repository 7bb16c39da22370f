"""Reads configurations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlclive_core.runtimes import read_config


def read_yaml(file_path: str | Path) -> dict[str, Any]:
    """Read a YAML file.

    Raises:
        FileNotFoundError: there is no such file.
        DLCLiveError: it is not a valid one.
    """
    path = Path(file_path).resolve()
    if not path.exists():
        raise FileNotFoundError(f"no such configuration file: {path}")
    return dict(read_config(path))
