"""Fixtures that several files share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlclive_core import PluginCatalog
from tests.core.export_lab import export_catalog


@pytest.fixture
def catalog() -> PluginCatalog:
    """The exporters and runtimes of `export_lab`."""
    return export_catalog()


@pytest.fixture
def begin(tmp_path: Path) -> Callable[..., Path]:
    """Writes a model of `export_lab`, from which its exporters start."""

    def write(**values: Any) -> Path:
        path = tmp_path / "m.begin"
        path.write_text(json.dumps(values))
        return path

    return write
